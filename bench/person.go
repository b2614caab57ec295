package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// person is a registered user with one device.
type person struct {
	user   identity.UserID
	device identity.DeviceID
	key    *cryptobox.SigningKey
	origin string
}

// newPerson makes keys and registers them.
func newPerson(ctx context.Context, api *api) (*person, error) {
	userKey, err := cryptobox.GenerateSigningKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := cryptobox.GenerateSigningKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	statement, err := firstList(userKey, key)
	if err != nil {
		return nil, err
	}
	p := &person{
		user:   identity.NewUserID(userKey.PublicKey()),
		device: identity.NewDeviceID(key.PublicKey()),
		key:    key,
		origin: api.origin,
	}
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	public := userKey.PublicKey()
	input := map[string]any{"userKey": b64(public[:]), "deviceList": b64(statement)}
	const register = `mutation($input: RegisterKeyInput!) { registerKey(input: $input) { device { id } } }`
	return p, api.call(ctx, token, register, map[string]any{"input": input}, nil)
}

func firstList(userKey, key *cryptobox.SigningKey) ([]byte, error) {
	agreement, err := cryptobox.GenerateAgreementKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	box, err := cryptobox.GenerateBoxKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	entry, err := identity.SignEntry(identity.EntryFields{
		UserID:       identity.NewUserID(userKey.PublicKey()),
		AgreementKey: agreement.PublicKey(),
		Protocols:    identity.ProtocolBox,
		CreatedAt:    time.Now(),
		BoxKey:       box.PublicKey(),
	}, key)
	if err != nil {
		return nil, err
	}
	return identity.SignDeviceList(nil, userKey, key, []identity.Entry{entry})
}

func (p *person) token() (string, error) {
	return identity.NewToken(p.key, p.user, p.origin, time.Now())
}

// bearer keeps a token until it is close to its end, as a client would.
type bearer struct {
	person *person
	header string
	until  time.Time
}

func (b *bearer) set(h http.Header) error {
	if time.Now().After(b.until) {
		token, err := b.person.token()
		if err != nil {
			return fmt.Errorf("token: %w", err)
		}
		b.header, b.until = "Bearer "+token, time.Now().Add(identity.MaxTokenLifetime/2)
	}
	h.Set("Authorization", b.header)
	return nil
}

package load

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// registering is how many people register at once.
const registering = 32

// Person is a registered user with one device.
type Person struct {
	user   identity.UserID
	device identity.DeviceID
	key    *cryptobox.SigningKey
}

// Register makes n people and registers them, spread over nodes that share a store.
func Register(ctx context.Context, nodes []*Node, n int) ([]*Person, error) {
	people := make([]*Person, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(registering)
	for i := range people {
		group.Go(func() (err error) {
			people[i], err = register(ctx, nodes[i%len(nodes)])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	return people, nil
}

func register(ctx context.Context, node *Node) (*Person, error) {
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
	p := &Person{user: identity.NewUserID(userKey.PublicKey()), device: identity.NewDeviceID(key.PublicKey()), key: key}
	public := userKey.PublicKey()
	input := map[string]any{"userKey": b64(public[:]), "deviceList": b64(statement)}
	const mutation = `mutation($input: RegisterKeyInput!) { registerKey(input: $input) { device { id } } }`
	return p, node.Query(ctx, p, mutation, map[string]any{"input": input}, nil)
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

func (p *Person) token(node *Node) (string, error) {
	return identity.NewToken(p.key, p.user, node.origin, time.Now())
}

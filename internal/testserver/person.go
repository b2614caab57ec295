package testserver

import (
	"crypto/mlkem"
	"crypto/rand"
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// Person is a user with devices, for tests that speak to the server as any client would.
type Person struct {
	t       testing.TB
	UserKey *cryptobox.SigningKey
	ID      identity.UserID
	Devices []*Device
	List    *identity.DeviceList // the newest
}

// Device is one device of a Person.
type Device struct {
	Owner *Person
	Key   *cryptobox.SigningKey
	Box   *cryptobox.BoxKey
	Entry identity.Entry
}

// NewPerson makes a user with one device and signs version 1 of its list. Nothing is sent anywhere.
func NewPerson(t testing.TB) *Person {
	t.Helper()
	key := must(cryptobox.GenerateSigningKey(rand.Reader))(t)
	p := &Person{t: t, UserKey: key, ID: identity.NewUserID(key.PublicKey())}
	p.Devices = []*Device{p.NewDevice()}
	p.List = p.Sign(p.Devices[0])
	return p
}

// NewDevice makes keys and an entry for one more device, which is on no list yet.
func (p *Person) NewDevice() *Device {
	p.t.Helper()
	return p.DeviceWith(must(cryptobox.GenerateSigningKey(rand.Reader))(p.t))
}

// DeviceWith is NewDevice with a signing key that is there already.
func (p *Person) DeviceWith(key *cryptobox.SigningKey) *Device {
	p.t.Helper()
	d := &Device{
		Owner: p,
		Key:   key,
		Box:   must(cryptobox.GenerateBoxKey(rand.Reader))(p.t),
	}
	agreement := must(cryptobox.GenerateAgreementKey(rand.Reader))(p.t)
	d.Entry = must(identity.SignEntry(identity.EntryFields{
		UserID: p.ID, AgreementKey: agreement.PublicKey(), Protocols: identity.ProtocolBox,
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond), BoxKey: d.Box.PublicKey(),
	}, d.Key))(p.t)
	return d
}

// Sign signs the version after p.List that names these devices, with the first device of the person as its author.
func (p *Person) Sign(devices ...*Device) *identity.DeviceList {
	p.t.Helper()
	entries := make([]identity.Entry, len(devices))
	for i, d := range devices {
		entries[i] = d.Entry
	}
	statement := must(identity.SignDeviceList(p.List, p.UserKey, p.Devices[0].Key, entries))(p.t)
	return must(identity.ParseDeviceList(statement))(p.t)
}

// ID is the device's id.
func (d *Device) ID() string { return d.Entry.DeviceID().String() }

// Token makes a token for a server.
func (d *Device) Token(audience string) string { return d.TokenAt(audience, time.Now()) }

// TokenAt makes a token by a clock.
func (d *Device) TokenAt(audience string, now time.Time) string {
	d.Owner.t.Helper()
	return must(identity.NewToken(d.Key, d.Owner.ID, audience, now))(d.Owner.t)
}

// Prekey makes a key and signs it as the device's.
func (d *Device) Prekey(kind identity.PrekeyKind, number uint32) identity.Prekey {
	d.Owner.t.Helper()
	fields := identity.PrekeyFields{Kind: kind, User: d.Owner.ID, Number: number, CreatedAt: time.Now()}
	switch kind {
	case identity.PrekeyKEMOneTime, identity.PrekeyKEMLastResort:
		fields.Key = must(mlkem.GenerateKey768())(d.Owner.t).EncapsulationKey().Bytes()
	default:
		public := must(cryptobox.GenerateAgreementKey(rand.Reader))(d.Owner.t).PublicKey()
		fields.Key = public[:]
	}
	return must(identity.SignPrekey(fields, d.Key))(d.Owner.t)
}

// Prekeys is the input of uploadPrekeys: a signed and a last-resort prekey with number 1, and this many one-time ones of each
// kind, numbered from 1.
func (d *Device) Prekeys(oneTime uint32) map[string]any {
	d.Owner.t.Helper()
	text := func(kind identity.PrekeyKind, number uint32) any { return Bytes(d.Prekey(kind, number).Statement()) }
	curve, kem := []any{}, []any{}
	for number := uint32(1); number <= oneTime; number++ {
		curve, kem = append(curve, text(identity.PrekeyOneTime, number)), append(kem, text(identity.PrekeyKEMOneTime, number))
	}
	return map[string]any{
		"signed": text(identity.PrekeySigned, 1), "kemLastResort": text(identity.PrekeyKEMLastResort, 1),
		"oneTime": curve, "kemOneTime": kem,
	}
}

// Message gives the variables of a sendMessage that puts text into the mailboxes of these devices, all of one user whose
// list has the version that p.List has. What is sealed is no content that a client would accept: the server cannot know.
func Message(t testing.TB, text string, from *Device, to ...*Device) map[string]any {
	t.Helper()
	envelopes := make([]any, len(to))
	for i, d := range to {
		sealed := must(cryptobox.Seal(rand.Reader, []byte(text), d.Box.PublicKey(), from.Box))(t)
		envelopes[i] = map[string]any{
			"deviceId": d.ID(), "kind": "BOX", "ciphertext": Bytes(sealed.Ciphertext), "nonce": Bytes(sealed.Nonce[:]),
		}
	}
	owner := to[0].Owner
	return map[string]any{
		"messageId": must(uuid.NewV7())(t).String(),
		"recipients": []any{map[string]any{
			"userId": owner.ID.String(), "listVersion": owner.List.Version, "envelopes": envelopes,
		}},
	}
}

// Bytes writes binary data as the schema's Bytes.
func Bytes(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

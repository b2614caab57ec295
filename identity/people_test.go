package identity_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

var createdAt = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

// person is a user with the keys of any device that a test names.
type person struct {
	t    testing.TB
	name string
	key  *cryptobox.SigningKey
}

func newPerson(t testing.TB, name string) *person {
	t.Helper()
	return &person{t, name, signingKey(t, seedOf(name))}
}

func seedOf(name string) []byte {
	seed := sha256.Sum256([]byte("identity test: " + name))
	return seed[:]
}

func (p *person) id() identity.UserID { return identity.NewUserID(p.key.PublicKey()) }

func (p *person) device(name string) *cryptobox.SigningKey {
	return signingKey(p.t, seedOf(p.name+"/"+name))
}

func (p *person) deviceID(name string) identity.DeviceID {
	return identity.NewDeviceID(p.device(name).PublicKey())
}

func (p *person) fields(name string) identity.EntryFields {
	p.t.Helper()
	agreement, err := cryptobox.AgreementKeyFromSeed(seedOf(p.name + "/" + name + "/agreement"))
	if err != nil {
		p.t.Fatal(err)
	}
	box, err := cryptobox.BoxKeyFromSeed(seedOf(p.name + "/" + name + "/box"))
	if err != nil {
		p.t.Fatal(err)
	}
	return identity.EntryFields{
		UserID: p.id(), AgreementKey: agreement.PublicKey(), Protocols: identity.ProtocolBox,
		CreatedAt: createdAt, BoxKey: box.PublicKey(),
	}
}

func (p *person) entry(name string, changes ...func(*identity.EntryFields)) identity.Entry {
	p.t.Helper()
	fields := p.fields(name)
	for _, change := range changes {
		change(&fields)
	}
	entry, err := identity.SignEntry(fields, p.device(name))
	if err != nil {
		p.t.Fatal(err)
	}
	return entry
}

// list signs the version after previous; the author is named, the entries are given.
func (p *person) list(previous []byte, author string, entries ...identity.Entry) []byte {
	p.t.Helper()
	var before *identity.DeviceList
	if previous != nil {
		var err error
		if before, err = identity.ParseDeviceList(previous); err != nil {
			p.t.Fatal(err)
		}
	}
	statement, err := identity.SignDeviceList(before, p.key, p.device(author), entries)
	if err != nil {
		p.t.Fatal(err)
	}
	return statement
}

// chain extends an empty chain of the person with statements that must all be accepted.
func (p *person) chain(statements ...[]byte) *identity.Chain {
	p.t.Helper()
	chain, err := identity.ParseChain(p.id(), statements)
	if err != nil {
		p.t.Fatal(err)
	}
	return chain
}

// resign changes bytes of a list that are signed, and signs again: what the holder of both keys could publish.
func (p *person) resign(statement []byte, author string, change func([]byte) []byte) []byte {
	p.t.Helper()
	signed := change(append([]byte(nil), statement[:len(statement)-2*identity.SignatureSize]...))
	result := append([]byte(nil), signed...)
	for _, key := range []*cryptobox.SigningKey{p.key, p.device(author)} {
		signature, err := key.Sign(signed)
		if err != nil {
			p.t.Fatal(err)
		}
		result = append(result, signature...)
	}
	return result
}

package identity_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// FuzzChain has a server show what it likes: any of the statements that Alice and her devices have ever signed, two versions of the same
// number among them, those of somebody else, and one that it makes up, in any order. A chain takes only what follows on what it holds,
// and what it refuses changes nothing.
func FuzzChain(f *testing.F) {
	alice, eve := newPerson(f, "alice"), newPerson(f, "eve")
	phone, laptop := alice.entry("phone"), alice.entry("laptop")
	one := alice.list(nil, "phone", phone)
	two := alice.list(one, "phone", phone, laptop)
	fork := alice.list(one, "phone", phone, alice.entry("tablet"))
	three := alice.list(two, "laptop", laptop)
	statements := [][]byte{one, two, fork, three, eve.list(nil, "phone", eve.entry("phone"))}
	histories := [][][]byte{{one, two, three}, {one, fork}}
	f.Add([]byte{0, 1, 3}, []byte{})
	f.Add([]byte{0, 2, 1, 3}, three)
	f.Add([]byte{0, 0, 4, 3, 1, 1, 0, 2}, one)
	f.Add([]byte{0, 5, 1, 5, 3, 5}, bytes.Replace(two, []byte{0, 0, 0, 2}, []byte{0, 0, 0, 3}, 1))
	f.Fuzz(func(t *testing.T, order, forged []byte) {
		shown := append(slices.Clone(statements), forged)
		chain := identity.NewChain(alice.id())
		for _, i := range order[:min(len(order), 64)] {
			statement := shown[int(i)%len(shown)]
			before := chain.Statements()
			if err := chain.Extend(statement); err != nil && !chain.Is(before) {
				t.Fatalf("refused with %v, and the chain has changed", err)
			}
		}
		held := chain.Statements()
		if !slices.ContainsFunc(histories, func(signed [][]byte) bool {
			return len(held) <= len(signed) && slices.EqualFunc(held, signed[:len(held)], bytes.Equal)
		}) {
			t.Fatalf("a chain of %d versions that nobody has signed one after the other: %x", len(held), held)
		}
		parsed, err := identity.ParseChain(alice.id(), held)
		if err != nil || !parsed.Is(held) || int(parsed.Version()) != len(held) || parsed.Size() != len(bytes.Join(held, nil)) {
			t.Fatalf("what it holds does not parse: %v", err)
		}
		if bad, err := identity.ParseChain(alice.id(), append(held, forged)); err == nil && !slices.ContainsFunc(statements, func(signed []byte) bool { return bytes.Equal(signed, forged) }) {
			t.Fatalf("a made-up version is taken: %x, version %d", forged, bad.Version())
		}
	})
}

package device

import (
	"slices"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// What was verified counts for the very bytes that were verified.
func TestChainCacheVerifiesWhatHasChanged_S3_1(t *testing.T) {
	a := newAttack(t)
	var cache ChainCache
	statements := a.alice.chainOf(a.alice.User).Statements()
	for range 2 {
		must(cache.parse(a.alice.User, statements))
	}
	forged := slices.Clone(statements[0])
	forged[len(forged)-1] ^= 1
	if _, err := cache.parse(a.alice.User, [][]byte{forged}); err == nil {
		t.Fatal("a list with another signature was taken for the one that was verified")
	}
	if _, err := cache.parse(a.bob.User, statements); err == nil {
		t.Fatal("Alice's list was taken for Bob's")
	}
}

// Whoever extends what the cache gave does not teach it anything: the version may never be committed.
func TestChainCacheGivesChainsAway(t *testing.T) {
	a := newAttack(t)
	old := a.alice.chainOf(a.alice.User).Statements()
	a.alice.addDevice(identity.ProtocolBox)
	next := a.answer(&FetchUser{User: a.alice.User, Since: 1}).Statements
	var cache ChainCache
	chain := must(cache.parse(a.alice.User, old))
	if err := chain.Extend(next[0]); err != nil {
		t.Fatal(err)
	}
	if got := must(cache.parse(a.alice.User, old)).Version(); got != 1 {
		t.Fatalf("the cache gives version %d, want 1", got)
	}
}

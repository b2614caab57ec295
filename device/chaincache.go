package device

import (
	"sync"

	"github.com/letterlock/letterlock/identity"
)

// maxCachedBytes bounds the statements of the chains that a cache holds.
const maxCachedBytes = identity.MaxChainSize

// ChainCache holds chains that were verified in this process, so that a record which has not changed since is not verified
// for every message. A step that reads other bytes than the cache was given verifies them. Lend the same cache to the steps
// of one device; several goroutines may use it. The zero value is ready for use.
type ChainCache struct {
	mu     sync.Mutex
	chains map[identity.UserID]*identity.Chain
	size   int
}

// parse gives the verified chain of these statements: the caller's own, to extend as it likes.
func (c *ChainCache) parse(user identity.UserID, statements [][]byte) (*identity.Chain, error) {
	if c == nil {
		return identity.ParseChain(user, statements)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if chain, held := c.chains[user]; held && chain.Is(statements) {
		return chain.Clone(), nil
	}
	chain, err := identity.ParseChain(user, statements)
	if err != nil {
		return nil, err
	}
	c.keep(user, chain, chain.Size())
	return chain.Clone(), nil
}

// keep makes room by letting everything go: whoever has so many contacts verifies them now and then.
func (c *ChainCache) keep(user identity.UserID, chain *identity.Chain, size int) {
	if c.chains == nil || c.size+size > maxCachedBytes {
		c.chains = make(map[identity.UserID]*identity.Chain)
		c.size = 0
	}
	c.chains[user] = chain
	c.size += size // also what it replaces: the bound is no less kept
}

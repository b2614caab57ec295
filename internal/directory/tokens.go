package directory

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/slim"
)

// tokenCache remembers, by their hashes, tokens whose signature was verified, so that a device that makes many calls with
// one token has it verified once. Only what can change is looked at again: the clock, and the device's standing.
type tokenCache struct {
	mu      sync.Mutex
	entries *slim.LRU[[sha256.Size]byte, identity.Token]
}

func newTokenCache(size int) *tokenCache {
	return &tokenCache{entries: slim.NewLRU[[sha256.Size]byte, identity.Token](size)}
}

// get gives a token that was verified before, if it holds now and for one of origins.
func (c *tokenCache) get(raw string, origins []string, now time.Time) (identity.Token, bool) {
	if len(raw) > identity.MaxTokenSize {
		return identity.Token{}, false
	}
	key := sha256.Sum256([]byte(raw))
	c.mu.Lock()
	defer c.mu.Unlock()
	token, ok := c.entries.Get(key)
	left := token.ExpiresAt.Sub(now)
	return token, ok && left > 0 && left <= identity.MaxTokenLifetime && slices.Contains(origins, token.Audience)
}

// put remembers a verified token.
func (c *tokenCache) put(raw string, token identity.Token) {
	key := sha256.Sum256([]byte(raw))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Add(key, token)
}

// sweep drops tokens that have expired, of those that nobody has shown since.
func (c *tokenCache) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Sweep(func(t identity.Token) bool { return !t.ExpiresAt.After(now) })
}

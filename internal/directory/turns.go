package directory

import (
	"context"
	"sync"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
)

// turns has the calls of each user go one after the other, so that whoever makes many at once stands in nobody's way but their own.
type turns struct {
	mu sync.Mutex
	of map[identity.UserID]chan struct{} // closed when the call ends whose turn it is
}

// take waits for a user's turn, and gives the function that ends it. It fails with STORE_UNAVAILABLE if ctx ends first.
func (t *turns) take(ctx context.Context, user identity.UserID) (end func(), err error) {
	for {
		t.mu.Lock()
		before, taken := t.of[user]
		if !taken {
			mine := make(chan struct{})
			t.of[user] = mine
			t.mu.Unlock()
			return func() { t.end(user, mine) }, nil
		}
		t.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, database.Unavailable("wait to verify a chain", context.Cause(ctx))
		}
	}
}

func (t *turns) end(user identity.UserID, mine chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, user)
	close(mine)
}

// Package term holds for how long a connection may go on: as long as the token that was last accepted on it. No timer waits for the
// end: whoever is about to say or to hear something on the connection asks, and who pings it.
package term

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// Term is one connection's. The zero value has no end: no token was accepted.
type Term struct {
	until atomic.Int64 // seconds since 1970
}

// Set makes it end when a token does that was accepted now.
func (t *Term) Set(expiresAt time.Time) { t.until.Store(expiresAt.Unix()) }

// Over reports whether the token would be refused now, by the same clock and the same rule (S6.4): a clock that was put back gives no
// token more time than a new one has.
func (t *Term) Over(now time.Time) bool {
	until := t.until.Load()
	if until == 0 {
		return false
	}
	left := time.Duration(until-now.Unix()) * time.Second
	return left <= 0 || left > identity.MaxTokenLifetime
}

type key struct{}

// With is for a transport that asks for the Term of what it serves.
func With(ctx context.Context) (context.Context, *Term) {
	t := &Term{}
	return context.WithValue(ctx, key{}, t), t
}

// Set sets the Term of ctx, if its transport asks for one.
func Set(ctx context.Context, expiresAt time.Time) {
	if t, ok := ctx.Value(key{}).(*Term); ok {
		t.Set(expiresAt)
	}
}

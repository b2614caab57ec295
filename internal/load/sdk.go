package load

import (
	"context"
	"errors"
	"time"

	"github.com/letterlock/letterlock/internal/pace"
)

// AsSDK comes back as the SDK does (client/listen.go).
func AsSDK() Comeback {
	p := pace.New(time.Second, 15*time.Second)
	return func(ctx context.Context, lost bool, why error) error {
		if lost {
			p.Reset()
		}
		var refused *RefusedError
		if errors.As(why, &refused) {
			return Pass(ctx, p.Next(refused.RetryAfter))
		}
		return Pass(ctx, p.Next(0))
	}
}

// Pass waits, and fails if ctx ends first.
func Pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

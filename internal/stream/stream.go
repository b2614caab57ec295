// Package stream lets a subscription's resolver end its stream with an error. gqlgen has a way for its own WebSockets alone, which
// races with a client that ends the subscription.
package stream

import (
	"context"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

type key struct{}

// End is where a stream's last error waits for its transport.
type End struct {
	err atomic.Pointer[gqlerror.Error]
}

// Err gives the error that the stream ended with, once.
func (e *End) Err() *gqlerror.Error { return e.err.Swap(nil) }

// WithEnd is for a transport that reports the last error by itself: it asks the End when the stream is over.
func WithEnd(ctx context.Context) (context.Context, *End) {
	end := &End{}
	return context.WithValue(ctx, key{}, end), end
}

// Fail makes err the last thing that the subscription of ctx says. The resolver calls it before it closes its channel. Nothing is
// said by a transport without an End, or once the subscription is over.
func Fail(ctx context.Context, err *gqlerror.Error) {
	if end, ok := ctx.Value(key{}).(*End); ok {
		end.err.Store(err)
	}
}

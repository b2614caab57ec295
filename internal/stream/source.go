package stream

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// Source is a subscription that is served without gqlgen's executor: its transport asks for responses when it has room for
// them.
type Source interface {
	// Append appends the next response to buf, as the executor would write it: {"data":{…}}. ok is false when there is none
	// now; ready is called once there is. It may read the store, and has one caller at a time. An error is the stream's end: a
	// *gqlerror.Error for the client, or nil error with ok false while it goes on.
	Append(ctx context.Context, buf []byte) (out []byte, ok bool, err error)
	// Close ends the subscription. It may be called at any time, also while Append runs.
	Close()
}

// Opener opens subscriptions that can be served so.
type Opener interface {
	// Open gives the Source of an operation, or nil, nil if the executor has to serve it. ready is called, from any goroutine,
	// without blocking and without calling back into the Source, whenever Append may have something; it may be called more
	// often than that, and before Open returns. ctx is not to be kept. Its error may be a *gqlerror.Error for the client, or one
	// to be presented.
	Open(ctx context.Context, op *graphql.OperationContext, ready func()) (Source, error)
}

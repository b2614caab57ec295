package graph

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/graph/scalar"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/stream"
)

// Streams opens subscriptions to messageReceived for transports that ask for each response: the selection is compiled once,
// and the executor does not run for each delivery.
type Streams struct{ Resolver *Resolver }

var _ stream.Opener = Streams{}

// Open opens the calling device's mailbox, or gives nil, nil for what the executor has to serve or to refuse.
//
// Its error is for the client, as Append's is: presented, with the place of the field, and with the plain error inside. ctx
// is to hold the caller and the socket, as for the executor, and so is Append's. Whoever holds a lock that ready takes must
// not call Open, Append or Close.
func (s Streams) Open(ctx context.Context, op *graphql.OperationContext, ready func()) (source stream.Source, err error) {
	p, ok := planOf(op)
	if !ok {
		return nil, nil
	}
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Subscription", Field: p.field})
	defer func() {
		if fault := recover(); fault != nil {
			source, err = nil, s.refuse(ctx, op.Recover(ctx, fault))
		}
	}()
	feed, err := s.Resolver.feed(ctx, p.after, ready)
	if err != nil {
		return nil, s.refuse(ctx, err)
	}
	return &receivedSource{feed: feed, encoder: p.encoder, present: s.Resolver.Present, recover: op.RecoverFunc}, nil
}

// refuse presents an error at the field of ctx.
func (s Streams) refuse(ctx context.Context, err error) error {
	err = graphql.AddFieldLocationToError(ctx, err)
	shown := s.Resolver.Present(ctx, err)
	shown.Err = err
	return shown
}

// plan is what an operation asks for.
type plan struct {
	field   graphql.CollectedField
	after   *string
	encoder encoder
}

// planOf makes the plan of a subscription to messageReceived. ok is false for what only the executor can serve, or refuse.
func planOf(op *graphql.OperationContext) (p plan, ok bool) {
	if op.Operation == nil || op.Operation.Operation != ast.Subscription || len(op.Operation.Directives) > 0 {
		return p, false
	}
	// gqlgen panics over a condition that is null, and its executor knows what to say then.
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) != 1 || fields[0].Name != "messageReceived" || len(fields[0].Deferrables) > 0 {
		return p, false
	}
	p.field = fields[0]
	if after := p.field.ArgumentMap(op.Variables)["after"]; after != nil {
		cursor, err := scalar.UnmarshalCursor(after)
		if err != nil {
			return p, false
		}
		p.after = &cursor
	}
	p.encoder, ok = compile(op, p.field)
	return p, ok
}

// feed opens the calling device's mailbox.
func (r *Resolver) feed(ctx context.Context, after *string, ready func()) (*mailbox.Feed, error) {
	device, position, err := callingFrom(ctx, after)
	if err != nil {
		return nil, err
	}
	feed, err := r.Mailboxes.Feed(ctx, device.ID, position, ready)
	return feed, endIfRemoved(ctx, err)
}

// receivedSource is one open subscription. It keeps nothing of the operation but what it writes.
type receivedSource struct {
	feed    *mailbox.Feed
	encoder encoder
	present func(ctx context.Context, err error) *gqlerror.Error
	recover graphql.RecoverFunc
}

// Append appends the next message. After Close there is none.
func (s *receivedSource) Append(ctx context.Context, buf []byte) (out []byte, ok bool, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			out, ok, err = buf, false, s.fail(ctx, s.recover(ctx, fault))
		}
	}()
	m, ok, err := s.feed.Poll(ctx)
	switch {
	case err != nil && errors.Is(err, context.Canceled) && ctx.Err() == nil:
		return buf, false, nil // Closed: nobody is there to be told.
	case err != nil:
		return buf, false, s.fail(ctx, endIfRemoved(ctx, err))
	case !ok:
		return buf, false, nil
	}
	return s.encoder.Value().append(buf, &m), true, nil
}

// Close ends the subscription.
func (s *receivedSource) Close() { s.feed.Close() }

// fail ends the subscription with what its client is told.
func (s *receivedSource) fail(ctx context.Context, err error) *gqlerror.Error {
	s.feed.Close()
	return s.present(ctx, gqlerror.WrapPath(ast.Path{ast.PathName(s.encoder.Value().alias)}, err))
}

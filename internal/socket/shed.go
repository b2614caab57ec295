package socket

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/letterlock/letterlock/internal/stream"
)

const restartReason = "the server is stopping: connect again"

// Shed begins to close one of so many of the sockets that are open, with code 1012. A socket that waits
// for an answer stays for this time. More sockets may be opened.
func (s *Sockets) Shed(oneOf int) {
	s.mu.Lock()
	left := s.open.Len() / oneOf
	all := make([]member, 0, s.open.Len())
	for m := range s.open.Keys() {
		all = append(all, m)
	}
	s.mu.Unlock()
	for _, m := range all {
		if left == 0 {
			return
		}
		if m.shed(CloseRestart, restartReason) {
			left--
		}
	}
}

// shed begins to close a socket, unless it is being closed or owes an answer. What a source has to say comes again: only messages that
// were acknowledged are gone.
func (c *conn) shed(code int, reason string) bool {
	c.mu.Lock()
	for _, o := range c.operations {
		if o.source == nil {
			c.mu.Unlock()
			return false
		}
	}
	if c.closing {
		c.mu.Unlock()
		return false
	}
	c.close(closeFrame(code, reason))
	c.mu.Unlock()
	c.startFlush()
	return true
}

// shed is that of a legacy socket.
func (c *legacyConn) shed(code int, reason string) bool {
	if c.isClosing() || c.protocol.answering() {
		return false
	}
	go c.end(code, reason)
	return true
}

// answering reports whether there are operations other than subscriptions.
func (p *legacyProtocol) answering() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.running)+len(p.ending) > p.subscribed
}

// legacyExecutor tells the protocol of subscriptions, which gqlgen keeps to itself, and gqlgen of the error that one ended with.
type legacyExecutor struct {
	gated
	protocol *legacyProtocol
}

// DispatchOperation begins an operation.
func (e legacyExecutor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	if op.Operation.Operation != ast.Subscription {
		return e.gated.DispatchOperation(ctx, op)
	}
	ctx, end := stream.WithEnd(ctx)
	responses, ctx := e.gated.DispatchOperation(ctx, op)
	e.protocol.streams(1)
	return func(ctx context.Context) *graphql.Response {
		response := responses(ctx)
		if response == nil {
			e.protocol.streams(-1)
			tellGqlgen(ctx, end)
		}
		return response
	}, ctx
}

// streams counts subscriptions.
func (p *legacyProtocol) streams(more int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscribed += more
}

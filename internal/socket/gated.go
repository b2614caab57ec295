package socket

import (
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Gated is an executor whose subscriptions wait with the sockets for their turn to begin. It is for event streams, which begin with
// nothing said before, as handshakes do.
func (s *Sockets) Gated(exec graphql.GraphExecutor) graphql.GraphExecutor {
	return gated{exec, s, greeting}
}

// gated is an executor before which the gate stands.
type gated struct {
	graphql.GraphExecutor
	sockets *Sockets
	at      stage
}

// DispatchOperation begins an operation. Of a subscription, the resolver has looked at what there is when the executor returns.
func (g gated) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	if op.Operation.Operation != ast.Subscription {
		ctx, cancel := g.sockets.bounded(ctx, op)
		context.AfterFunc(ctx, cancel) // the operation's own context ends behind its last answer
		return g.GraphExecutor.DispatchOperation(ctx, op)
	}
	gate := g.sockets.gate
	if !gate.enter(ctx, g.at) {
		no := g.sockets.options.Present.Present(ctx, gate.refusal())
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{no}, Data: json.RawMessage("null")}), ctx
	}
	defer gate.leave()
	return g.GraphExecutor.DispatchOperation(ctx, op)
}

// Package guard stands between a transport and gqlgen's executor. It refuses documents that are too deep, too large or too
// costly before they cost anything, turns panics into errors, and knows what is still running when the server stops.
package guard

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/persisted"
	"github.com/letterlock/letterlock/internal/problem"
)

// maxErrors is how many errors of one document are reported: thousands of aliases would otherwise be answered by as many.
const maxErrors = 10

// Options bound what one operation may ask for.
type Options struct {
	MaxBytes int // of a document
	MaxDepth int // of nested brackets in a document
	MaxCost  int // see cost.go
	// Stopped gives a channel that is closed when no new work is taken any more.
	Stopped <-chan struct{}
	// NoIntrospection refuses questions about the schema.
	NoIntrospection bool
	// Persisted are the operations that are allowed; nil for all.
	Persisted *persisted.Operations
	// Admit is asked before a document is looked at; may be nil.
	Admit func(ctx context.Context) error
	// Accepted is told of each operation that is valid and within the bounds; may be nil.
	Accepted func(op *graphql.OperationContext)
}

// Guard watches over operations of one server.
type Guard struct {
	options Options
	running atomic.Int64
}

// New makes a Guard.
func New(options Options) *Guard { return &Guard{options: options} }

// Over puts the guard before exec. Subscriptions are refused unless the transport can stream.
func (g *Guard) Over(exec graphql.GraphExecutor, streams bool) graphql.GraphExecutor {
	return &executor{GraphExecutor: exec, guard: g, streams: streams}
}

// Begin counts an operation as running that is served without the executor, until End is called, once its answer has been
// handed on. It is false, and End is not to be called, if no new work is taken: the executor says so.
//
// Counting comes first, so that Idle misses nothing that has begun.
func (g *Guard) Begin() bool {
	g.running.Add(1)
	select {
	case <-g.options.Stopped:
		g.running.Add(-1)
		return false
	default:
		return true
	}
}

// End is the end of what Begin began.
func (g *Guard) End() { g.running.Add(-1) }

// Idle waits until no query or mutation runs on a streaming transport, or past the executor, or until ctx ends. It reports
// whether it is so.
func (g *Guard) Idle(ctx context.Context) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for g.running.Load() > 0 {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

type executor struct {
	graphql.GraphExecutor
	guard   *Guard
	streams bool
}

// CreateOperationContext parses, validates and weighs a request. Its errors carry gqlgen's code for a request that was never
// executed; what callers see is made of the problem inside.
func (e *executor) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (op *graphql.OperationContext, errs gqlerror.List) {
	defer func() {
		if r := recover(); r != nil {
			op, errs = &graphql.OperationContext{}, refuse(failure.Recover(ctx, r))
		}
	}()
	select {
	case <-e.guard.options.Stopped:
		return &graphql.OperationContext{}, refuse(stopping())
	default:
	}
	if no := e.guard.unwelcome(ctx, params); no != nil {
		return &graphql.OperationContext{}, refuse(no)
	}
	op, errs = e.GraphExecutor.CreateOperationContext(ctx, params)
	if len(errs) > maxErrors {
		errs = errs[:maxErrors]
	}
	if len(errs) > 0 {
		return op, errs
	}
	if errs = e.weigh(op); len(errs) == 0 && e.guard.options.Accepted != nil {
		e.guard.options.Accepted(op)
	}
	return op, errs
}

func (g *Guard) unwelcome(ctx context.Context, params *graphql.RawParams) error {
	if g.options.Admit != nil {
		if err := g.options.Admit(ctx); err != nil {
			return err
		}
	}
	switch {
	case g.options.Persisted != nil && !g.options.Persisted.Allow(params):
		return problem.New(problem.OperationNotAllowed, "The operator of this server allows a list of operations, and this is none of them.")
	case params.Query == "" && persisted.ID(params) != "":
		return problem.New(problem.BadInput, "This server keeps no documents for ids. Send the GraphQL document as `query`.")
	default:
		return g.unread(params.Query)
	}
}

// unread refuses a document before any parser sees it, and before it is kept among the parsed ones.
func (g *Guard) unread(document string) error {
	switch {
	case len(document) > g.options.MaxBytes:
		return problem.New(problem.RequestTooLarge,
			fmt.Sprintf("The GraphQL document is longer than %d bytes. Split it, and pass values as variables.", g.options.MaxBytes))
	case nesting(document) > g.options.MaxDepth:
		return problem.New(problem.RequestTooLarge,
			fmt.Sprintf("The GraphQL document nests more than %d levels deep. Ask for less at once.", g.options.MaxDepth))
	default:
		return nil
	}
}

func (e *executor) weigh(op *graphql.OperationContext) gqlerror.List {
	if op.Operation.Operation == ast.Subscription && !e.streams {
		return refuse(problem.New(problem.BadInput,
			"Subscriptions are served over WebSocket, or over server-sent events: ask with `Accept: text/event-stream`."))
	}
	if !affordable(op.Operation, op.Variables, e.guard.options.MaxCost) {
		return refuse(problem.New(problem.RequestTooLarge,
			"The GraphQL operation asks for too many fields. Ask for fewer, or for smaller pages."))
	}
	if e.guard.options.NoIntrospection && introspects(op.Operation.SelectionSet) {
		return refuse(problem.New(problem.ValidationFailed,
			"The operator has switched introspection off. The schema is graph/schema.graphqls of the server's release."))
	}
	return nil
}

// DispatchOperation runs an operation and, where the transport does not do so itself, counts it as running until its
// answer has been handed on.
func (e *executor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	if !e.streams || op.Operation.Operation == ast.Subscription {
		return e.GraphExecutor.DispatchOperation(ctx, op)
	}
	e.guard.running.Add(1)
	var over atomic.Bool
	end := func() {
		if over.CompareAndSwap(false, true) {
			e.guard.running.Add(-1)
		}
	}
	context.AfterFunc(ctx, end)
	next, ctx := e.GraphExecutor.DispatchOperation(ctx, op)
	return func(ctx context.Context) *graphql.Response {
		response := next(ctx)
		if response == nil {
			end() // The transport comes back for more once it has written the answer.
		}
		return response
	}, ctx
}

func stopping() error {
	return &problem.Error{
		Code: problem.Stopping, Stored: problem.No, RetryAfter: time.Second,
		Message: "The server is stopping. Connect again.",
	}
}

// refuse makes the error of a request that was never executed.
func refuse(err error) gqlerror.List {
	refused := gqlerror.Wrap(err)
	errcode.Set(refused, errcode.ValidationFailed)
	return gqlerror.List{refused}
}

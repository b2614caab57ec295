package telemetry

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
)

// noKind stands for what was refused before it was known as an operation.
const noKind = "none"

// Operations counts GraphQL operations. A query or mutation counts when it is answered, a subscription when it starts.
type Operations struct {
	codes           codes
	count           *prometheus.CounterVec
	query, mutation prometheus.Observer
	answered        prometheus.Counter // mutations without an error
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationInterceptor
	graphql.ResponseInterceptor
} = (*Operations)(nil)

func newOperations(add factory, known codes) *Operations {
	took := add.histograms("graphql_operation_duration_seconds",
		"How long GraphQL queries and mutations took, from parsing to the answer, over HTTP and WebSockets.", seconds(), "kind")
	o := &Operations{
		codes: known,
		count: add.counters("graphql_operations_total",
			"GraphQL operations, by kind and by the code of their first error, or OK.", "kind", "code"),
		query:    took.WithLabelValues(string(ast.Query)),
		mutation: took.WithLabelValues(string(ast.Mutation)),
	}
	for _, kind := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		o.count.WithLabelValues(string(kind), codeOK)
	}
	o.answered = o.count.WithLabelValues(string(ast.Mutation), codeOK)
	return o
}

// ExtensionName is for gqlgen.
func (o *Operations) ExtensionName() string { return "Metrics" }

// Validate is for gqlgen.
func (o *Operations) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptOperation counts subscriptions.
func (o *Operations) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription {
		o.count.WithLabelValues(string(ast.Subscription), codeOK).Inc()
	}
	return next(ctx)
}

// InterceptResponse counts everything else, and refused operations.
func (o *Operations) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if response == nil {
		return nil
	}
	kind, parsing := operationOf(ctx)
	if kind == string(ast.Subscription) && len(response.Errors) == 0 {
		return response // An event.
	}
	o.count.WithLabelValues(kind, o.codeOf(response)).Inc()
	if parsing.IsZero() {
		return response
	}
	switch kind {
	case string(ast.Query):
		o.query.Observe(time.Since(parsing).Seconds())
	case string(ast.Mutation):
		o.mutation.Observe(time.Since(parsing).Seconds())
	}
	return response
}

// operationOf gives the kind of an operation and when it began to be parsed.
func operationOf(ctx context.Context) (string, time.Time) {
	if !graphql.HasOperationContext(ctx) {
		return noKind, time.Time{}
	}
	op := graphql.GetOperationContext(ctx)
	if op.Operation == nil {
		return noKind, time.Time{}
	}
	return string(op.Operation.Operation), op.Stats.Parsing.Start
}

func (o *Operations) codeOf(response *graphql.Response) string {
	if len(response.Errors) == 0 {
		return codeOK
	}
	return o.codes.of(response.Errors[0])
}

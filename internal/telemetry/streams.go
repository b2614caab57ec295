package telemetry

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/stream"
)

// Streams counts the subscriptions that are served without the executor, which the interceptors do not see.
func (o *Operations) Streams(next stream.Opener) stream.Opener { return streams{next, o} }

type streams struct {
	next       stream.Opener
	operations *Operations
}

// Open counts a subscription when it starts, and again when it is refused, as the interceptors do.
func (s streams) Open(ctx context.Context, op *graphql.OperationContext, ready func()) (stream.Source, error) {
	source, err := s.next.Open(ctx, op, ready)
	if source == nil && err == nil {
		return nil, nil
	}
	s.operations.count.WithLabelValues(string(ast.Subscription), codeOK).Inc()
	if err != nil {
		s.operations.count.WithLabelValues(string(ast.Subscription), s.operations.codes.label(string(problem.CodeOf(err)))).Inc()
	}
	return source, err
}

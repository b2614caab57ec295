package telemetry

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/shortcut"
)

// Answers counts the mutations that are answered without the executor, which the interceptors do not see.
func (o *Operations) Answers(next shortcut.Answerer) shortcut.Answerer { return answers{next, o} }

type answers struct {
	next       shortcut.Answerer
	operations *Operations
}

// Answer counts a mutation when it is answered, as the interceptors do.
func (a answers) Answer(ctx context.Context, params *graphql.RawParams, buf []byte) (out []byte, refused *gqlerror.Error, ok bool) {
	begun := time.Now()
	out, refused, ok = a.next.Answer(ctx, params, buf)
	if !ok {
		return out, nil, false
	}
	if refused == nil {
		a.operations.answered.Inc()
	} else {
		a.operations.count.WithLabelValues(string(ast.Mutation), a.operations.codes.of(refused)).Inc()
	}
	a.operations.mutation.Observe(time.Since(begun).Seconds())
	return out, refused, true
}

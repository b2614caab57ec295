// Package shortcut is how transports have the most frequent mutations answered without gqlgen's executor.
package shortcut

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Answerer answers requests whose document it knows.
type Answerer interface {
	// Answer carries a request out and appends the whole response to buf, as the executor would write it. ok is false if the
	// executor has to serve the request, or to refuse it: nothing was done then, and nothing is appended. refused is the error
	// that the response tells, for those who count. ctx is to hold what the executor would be given.
	Answer(ctx context.Context, params *graphql.RawParams, buf []byte) (out []byte, refused *gqlerror.Error, ok bool)
}

package failure

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Write answers an HTTP request that failed before or outside GraphQL: err as the one error of a GraphQL response, under
// the given status and media type.
func (p *Presenter) Write(ctx context.Context, w http.ResponseWriter, status int, mediaType string, err error) {
	shown := p.Present(ctx, err)
	if after, ok := shown.Extensions["retryAfterMs"].(int64); ok {
		w.Header().Set("Retry-After", strconv.FormatInt((after+999)/1000, 10))
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	body, marshalErr := json.Marshal(struct {
		Errors []*gqlerror.Error `json:"errors"`
	}{[]*gqlerror.Error{shown}})
	if marshalErr != nil {
		return // Strings and numbers alone: this cannot happen.
	}
	_, _ = w.Write(body) // A caller who is gone needs no answer.
}

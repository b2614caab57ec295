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
	SayWhen(w.Header(), shown)
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

// SayWhen sets Retry-After if an error that was presented says when to try again.
func SayWhen(header http.Header, errs ...*gqlerror.Error) {
	for _, err := range errs {
		if err == nil {
			continue
		}
		if after, ok := err.Extensions["retryAfterMs"].(int64); ok {
			header.Set("Retry-After", strconv.FormatInt((after+999)/1000, 10))
			return
		}
	}
}

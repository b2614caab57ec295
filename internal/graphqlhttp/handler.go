// Package graphqlhttp serves GraphQL by the GraphQL-over-HTTP specification: POST for queries and mutations, server-sent events
// for subscriptions. Requests pass a size limit and a JSON check before gqlgen sees them.
package graphqlhttp

import (
	"net/http"
	"strings"

	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/problem"
)

// Front stands before gqlgen's handler and answers what no transport takes: other methods, other media types.
func Front(next http.Handler, present *failure.Presenter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.Header.Get("Upgrade") != "" {
			next.ServeHTTP(w, r)
			return
		}
		if no := unsuitable(r); no != nil {
			switch {
			case no.status == http.StatusMethodNotAllowed:
				w.Header().Set("Allow", "POST, OPTIONS")
			case compressed(r):
				w.Header().Set("Accept-Encoding", "identity") // RFC 9110, 12.5.3
			}
			present.Write(r.Context(), w, no.status, mediaJSON+charset, no.err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func unsuitable(r *http.Request) *refusal {
	switch {
	case r.Method != http.MethodPost:
		return refused(http.StatusMethodNotAllowed, problem.BadInput,
			"GraphQL is served by POST here, and over WebSocket. To try it in a browser, open /playground.")
	case !sendsJSON(r):
		return refused(http.StatusUnsupportedMediaType, problem.BadInput,
			"Send the request as `Content-Type: application/json`, in UTF-8.")
	case compressed(r):
		return refused(http.StatusUnsupportedMediaType, problem.BadInput,
			"Send the request without Content-Encoding: bodies that are compressed are not unpacked here.")
	case accepted(r) == notAcceptable:
		return refused(http.StatusNotAcceptable, problem.BadInput,
			"Accept one of application/graphql-response+json, application/json or text/event-stream.")
	default:
		return nil
	}
}

// compressed reports whether the body is said to be coded. Ciphertext does not compress, so that nobody gains by it, and a small
// body that grows without end costs nothing where it is not unpacked.
func compressed(r *http.Request) bool {
	coding := r.Header.Get("Content-Encoding")
	return coding != "" && !strings.EqualFold(coding, "identity")
}

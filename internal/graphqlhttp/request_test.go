package graphqlhttp

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/letterlock/letterlock/internal/problem"
)

func TestNegotiate(t *testing.T) {
	for accept, want := range map[string]string{
		"":                                  mediaJSON,
		"*/*":                               mediaJSON,
		"application/*":                     mediaJSON,
		"application/json":                  mediaJSON,
		"application/graphql-response+json": mediaGraphQL,
		"application/graphql-response+json, application/json;q=0.9": mediaGraphQL,
		"application/json;q=0.2, text/event-stream":                 mediaEvents,
		"text/event-stream":    mediaEvents,
		"text/*":               mediaEvents,
		"text/html, */*;q=0.1": mediaJSON,
		"text/html":            notAcceptable,
		"application/json;q=0": notAcceptable,
		"application/json;q=2": notAcceptable,
		"application/json;q=x": notAcceptable,
		";;;,":                 notAcceptable,
		"garbage///, application/json; charset=utf-8": mediaJSON,
	} {
		if got := negotiate(accept); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}

func TestAcceptInSeveralLines(t *testing.T) {
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", nil)
	request.Header["Accept"] = []string{"text/html", mediaGraphQL}
	if got := accepted(request); got != mediaGraphQL {
		t.Errorf("%q, want %q", got, mediaGraphQL)
	}
}

// No body makes decode panic, come back in a message, or pass without a query.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{a}"}`, `{"query":"{a}"} x`, `[]`, `{`, `{"query":1}`, `{"variables":{"secret-value":[1e999]}}`,
		`{"query":"{a}","variables":[]}`, "\ufeff{}", `{"query":"\ud800"}`, `null`, `{"query":null}`, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var params graphql.RawParams
		no := decode(body, &params)
		if no == nil {
			if params.Query == "" || !json.Valid(body) {
				t.Fatalf("%q passed", body)
			}
			return
		}
		if problem.CodeOf(no.err) != problem.BadInput || no.status != 400 {
			t.Fatalf("%q: %d %v", body, no.status, no.err)
		}
		if len(body) > 80 && strings.Contains(no.err.Error(), string(body)) {
			t.Fatalf("%q comes back", body)
		}
	})
}

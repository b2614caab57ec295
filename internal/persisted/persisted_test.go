package persisted

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

// Whatever an operator takes for a manifest: it is refused, or it allows what it names, under its own document and its id, and
// nothing without a document.
func FuzzManifest(f *testing.F) {
	for _, seed := range []string{
		`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","name":"A","type":"query","body":"query A { server { version } }"}]}`,
		`{"operations":[{"operationName":"A","query":"query A { a }","sourceLocation":"a.graphql"},{"operationName":"B","query":"{ b }"}]}`,
		`{"operations":[{"id":"a","body":"{ a }"},{"id":"a","body":"{ b }"}]}`, `{"operations":[{"id":"a","body":"","query":""}]}`,
		`{"operations":[{"id":"a","body":"{ a }"},{"id":"a","body":"{ a }"},{"id":"b","body":"{ a }"}]}`,
		`{"operations":[]}`, `{"format":"apollo-persisted-query-manifest","version":2,"operations":[{"body":"{ a }"}]}`, `{"Operations":[{"BODY":"\ud800"}]}`,
		`[]`, `null`, ``, `{"operations":{}}`, `{"operations":[null]}`, `{"operations":[{"id":7}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all := none()
		if all.add(text) != nil {
			return
		}
		if len(all.documents) == 0 {
			t.Fatal("a manifest without operations is taken")
		}
		for document := range all.documents {
			if document == "" || !all.Allow(&graphql.RawParams{Query: document}) {
				t.Fatalf("document %q is not allowed", document)
			}
		}
		for id, document := range all.byID {
			params := named(id)
			if id == "" || !all.Allow(params) || params.Query != document {
				t.Fatalf("id %q is given %q, want %q", id, params.Query, document)
			}
			if _, listed := all.documents[document]; !listed {
				t.Fatalf("id %q allows %q, which is no operation's", id, document)
			}
		}
		if all.Allow(&graphql.RawParams{}) {
			t.Fatal("a request without a document and without an id is allowed")
		}
	})
}

func named(id string) *graphql.RawParams {
	return &graphql.RawParams{Extensions: map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": id}}}
}

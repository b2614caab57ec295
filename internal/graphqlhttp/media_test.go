package graphqlhttp

import (
	"math"
	"slices"
	"testing"
)

// Whatever a client accepts, the answer is of a type that we have, and a wish of the caller's can be added to its header.
func FuzzNegotiate(f *testing.F) {
	for _, seed := range []string{
		"", "NaN", "0x1p-2", "-1", "*/*", "application/json;q=0.2, text/event-stream", "text/*;q=1;q=0", `application/json;q="0.5"`, "application/json; q=NaN", "application/json;q=0x1p-2",
		"application/json;q=-0", ",", ";", "text/event-stream;charset=utf-8", "APPLICATION/JSON", "application/json;q=1e-400", "application/json,,\x00", "a/b;c=\"",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if got := negotiate(accept); !slices.Contains([]string{notAcceptable, mediaJSON, mediaGraphQL, mediaEvents}, got) {
			t.Fatalf("%q is answered by %q", accept, got)
		}
		if accept != "" && negotiate(mediaGraphQL+","+accept) == notAcceptable {
			t.Fatalf("%q takes back what stands before it", accept)
		}
		if q := quality(map[string]string{"q": accept}); math.IsNaN(q) || q < 0 || q > 1 {
			t.Fatalf("%q is the quality %v", accept, q)
		}
	})
}

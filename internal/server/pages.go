package server

import (
	"io/fs"
	"net/http"

	"github.com/letterlock/letterlock/internal/site"
	"github.com/letterlock/letterlock/web"
)

const welcome = `This is a Letterlock server: end-to-end encrypted messaging over GraphQL.

  /graphql      the API: POST, WebSocket (graphql-transport-ws, graphql-ws), server-sent events
  /playground   try it in a browser
  /healthz      whether the server runs
  /readyz       whether it can work

The web client is not in this binary. Build it in with ` + "`make build`" + `, which needs Node: then it is here.
`

const noPlayground = "The playground is not in this binary. Build it in with `make build`, which needs Node.\nThe API is at /graphql all the same.\n"

// appPages serves the web client, or says how to put it into the binary.
func appPages(files fs.FS) (http.Handler, error) {
	if files == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				text(w, http.StatusOK, welcome)
				return
			}
			nothingHere(w, r)
		}), nil
	}
	return site.New(files, http.Header{
		"Content-Security-Policy":      {web.AppCSP},
		"Permissions-Policy":           {appPermissions},
		"Cross-Origin-Embedder-Policy": {"require-corp"},
	}, http.HandlerFunc(nothingHere))
}

// playgroundPages serves GraphiQL, or says how to put it into the binary.
func playgroundPages(files fs.FS) (http.Handler, error) {
	if files == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusNotFound, noPlayground) }), nil
	}
	return site.New(files, http.Header{"Content-Security-Policy": {web.PlaygroundCSP}}, http.HandlerFunc(nothingHere))
}

// reading lets no other methods through. The mux cannot: a pattern for GET / would contradict /graphql, which takes all.
func reading(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			text(w, http.StatusMethodNotAllowed, "Pages are only read. The API is at /graphql.\n")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func nothingHere(w http.ResponseWriter, _ *http.Request) {
	text(w, http.StatusNotFound, "There is nothing here. The web client is at /, the API at /graphql, the playground at /playground.\n")
}

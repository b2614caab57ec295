package server

import (
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/letterlock/letterlock/web"
)

// hashed matches names that change with their content, as the web build makes them: index-B2x9aQ1f.js, 16f89b26ede9.woff2.
var hashed = regexp.MustCompile(`^assets/(.*-[A-Za-z0-9_-]{8}|[0-9a-f]{12})\.[a-z0-9]+$`)

// playground serves GraphiQL from the files of the web build, or says how to put them into the binary.
func playground(files fs.FS, built bool) http.Handler {
	if !built {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			text(w, http.StatusNotFound, "The playground is not in this binary. Build it in with `make build`, which needs Node.\nThe API is at /graphql all the same.\n")
		})
	}
	return http.StripPrefix("/playground", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serveFile(w, r, files)
	}))
}

func serveFile(w http.ResponseWriter, r *http.Request, files fs.FS) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name == "" {
		name = "index.html"
	}
	info, err := fs.Stat(files, name)
	if err != nil || info.IsDir() {
		text(w, http.StatusNotFound, "There is no such file. The playground is at /playground.\n")
		return
	}
	w.Header().Set("Content-Security-Policy", web.PlaygroundCSP)
	w.Header().Set("Cache-Control", "no-cache")
	if hashed.MatchString(name) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeFileFS(w, r, files, name) //nolint:gosec // files are those in the binary, and io/fs takes no path that leaves its root
}

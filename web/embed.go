// Package web holds what the server serves to browsers, embedded into its binary.
package web

import (
	"embed"
	"io/fs"
)

// PlaygroundCSP is the Content-Security-Policy under which the playground runs, and has to be served: nothing but what
// comes from the server itself, no inline scripts or styles, no eval. web/playground/README.md argues for each entry.
const PlaygroundCSP = "default-src 'none'; " +
	"script-src 'self'; " +
	"style-src 'self'; " +
	"img-src 'self'; " +
	"font-src 'self'; " +
	"connect-src 'self'; " +
	"base-uri 'none'; " +
	"form-action 'none'; " +
	"frame-ancestors 'none'"

//go:embed all:playground/dist
var playground embed.FS

// Playground gives the playground's files, index.html at the root; its links expect to be served below /playground/.
// It reports false where the web parts were not built (`make build` does): then there are no files to serve.
func Playground() (fs.FS, bool) {
	dist, err := fs.Sub(playground, "playground/dist")
	if err != nil {
		return nil, false
	}
	if _, err := fs.Stat(dist, "index.html"); err != nil {
		return nil, false
	}
	return dist, true
}

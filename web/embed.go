// Package web holds what the server serves to browsers, embedded into its binary.
package web

import (
	"embed"
	"io/fs"
)

// AppCSP is the Content-Security-Policy under which the web client runs, and has to be served: nothing but what comes from
// the server itself, no inline scripts or styles, no eval but for WebAssembly, and no text becomes a script: the one
// Trusted Types policy there may be, the client's own, lets pass the addresses of its worker and its service worker.
const AppCSP = "default-src 'none'; " +
	"script-src 'self' 'wasm-unsafe-eval'; " +
	"style-src 'self'; " +
	"img-src 'self'; " +
	"font-src 'self'; " +
	"connect-src 'self'; " +
	"worker-src 'self'; " +
	"manifest-src 'self'; " +
	"base-uri 'none'; " +
	"form-action 'none'; " +
	"frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; " +
	"trusted-types default"

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

//go:embed all:app/dist all:playground/dist
var built embed.FS

// App gives the web client's files, index.html at the root; nil where they were not built (`make build` does).
func App() fs.FS { return part("app/dist") }

// Playground gives the playground's files, index.html at the root; its links expect to be served below /playground/. It
// gives nil where they were not built.
func Playground() fs.FS { return part("playground/dist") }

func part(dir string) fs.FS {
	dist, err := fs.Sub(built, dir)
	if err != nil {
		return nil
	}
	if _, err := fs.Stat(dist, "index.html"); err != nil {
		return nil
	}
	return dist
}

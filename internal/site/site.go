// Package site serves the files of a web build: each under its exact name, compressed as the build has left it, cached for
// as long as its name allows. Nothing here reads a path that the build did not make.
package site

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// forever is for names that change with their content.
	forever = "public, max-age=31536000, immutable"
	// asked is for names that stay: a browser asks each time, and is told by the ETag that nothing has changed.
	asked = "no-cache"
)

// hashed matches names that change with their content, as the web builds make them: index-B2x9aQ1f.js, 16f89b26ede9.woff2.
var hashed = regexp.MustCompile(`^assets/(.*-[A-Za-z0-9_-]{8}|[0-9a-f]{12})\.[a-z0-9]+$`)

// Site is an http.Handler of the files of one build.
type Site struct {
	dist    fs.FS
	files   map[string]file
	header  http.Header
	missing http.Handler
}

// New reads a build. header is set on every file; missing answers for names that are none.
func New(dist fs.FS, header http.Header, missing http.Handler) (*Site, error) {
	files, err := read(dist)
	if err != nil {
		return nil, err
	}
	return &Site{dist: dist, files: files, header: header, missing: missing}, nil
}

// ServeHTTP answers for one file. The directory itself is index.html.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	found, ok := s.files[name]
	if !ok {
		s.missing.ServeHTTP(w, r)
		return
	}
	chosen := found.choose(r.Header)
	content, err := s.open(chosen.path)
	if err != nil {
		s.missing.ServeHTTP(w, r)
		return
	}
	maps.Copy(w.Header(), s.header)
	found.describe(w.Header(), name)
	chosen.describe(w.Header())
	http.ServeContent(w, r, name, time.Time{}, content)
}

// open gives a file that can be read from anywhere, as those of embed and fstest can.
func (s *Site) open(name string) (io.ReadSeeker, error) {
	opened, err := s.dist.Open(name)
	if err != nil {
		return nil, err
	}
	content, ok := opened.(io.ReadSeeker)
	if !ok {
		return nil, fmt.Errorf("%s cannot be read from the middle", name)
	}
	return content, nil
}

func (f file) describe(header http.Header, name string) {
	header.Set("Content-Type", mediaType(name))
	header.Set("Cache-Control", asked)
	if hashed.MatchString(name) {
		header.Set("Cache-Control", forever)
	}
	if len(f) > 1 {
		header.Add("Vary", "Accept-Encoding")
	}
}

func (v variant) describe(header http.Header) {
	if tag := v.tag(); tag != "" {
		header.Set("Etag", tag)
	}
	// ServeContent leaves the length out where there is an encoding, and puts it right for ranges and answers without content.
	header.Set("Content-Length", strconv.FormatInt(v.size, 10))
	if v.encoding != identity {
		header.Set("Content-Encoding", v.encoding)
	}
}

// mediaType does not ask the machine: what it knows of types differs from one to the next.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".json":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".wasm":
		return "application/wasm"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/vnd.microsoft.icon"
	case ".woff":
		return "font/woff"
	case ".woff2":
		return "font/woff2"
	default:
		return "application/octet-stream"
	}
}

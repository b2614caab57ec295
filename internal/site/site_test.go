package site_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/letterlock/letterlock/internal/site"
)

// build is what a web build leaves: some files compressed, some only as they are.
func build() fstest.MapFS {
	files := fstest.MapFS{}
	for name, content := range map[string]string{
		"index.html": "<!doctype html>", "index.html.br": "html by br", "index.html.gz": "html by gzip",
		"sw.js": "worker", "manifest.webmanifest": "{}", "icon.svg": "<svg/>", "NOTICE": "notice",
		"assets/index-B2x9aQ1f.js": "0123456789", "assets/index-B2x9aQ1f.js.br": "js by br", "assets/index-B2x9aQ1f.js.gz": "js by gzip",
		"assets/core-Xy_-9aQ1.wasm": "wasm", "assets/16f89b26ede9.woff2": "font", "assets/style.css": "css",
		"B2x9aQ1f-B2x9aQ1f.js": "not in assets", "assets/alone.gz": "no form of anything",
		".gitkeep": "", "assets/.hidden.js": "hidden",
	} {
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return files
}

func serve(t testing.TB) http.Handler {
	t.Helper()
	missing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "missing", http.StatusNotFound) })
	pages, err := site.New(build(), http.Header{"Content-Security-Policy": {"default-src 'none'"}}, missing)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// ask requests a path, which need not be one that a client would clean up first.
func ask(t *testing.T, pages http.Handler, method, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
	request.URL = &url.URL{Path: path}
	for name, values := range header {
		request.Header[name] = values
	}
	recorder := httptest.NewRecorder()
	pages.ServeHTTP(recorder, request)
	return recorder
}

func TestFilesAreServedByTheirExactNames(t *testing.T) {
	pages := serve(t)
	const forever, asked = "public, max-age=31536000, immutable", "no-cache"
	for path, want := range map[string]struct{ content, media, cache string }{
		"/":                          {"<!doctype html>", "text/html; charset=utf-8", asked},
		"/index.html":                {"<!doctype html>", "text/html; charset=utf-8", asked},
		"/sw.js":                     {"worker", "text/javascript; charset=utf-8", asked},
		"/manifest.webmanifest":      {"{}", "application/manifest+json", asked},
		"/icon.svg":                  {"<svg/>", "image/svg+xml", asked},
		"/NOTICE":                    {"notice", "application/octet-stream", asked},
		"/assets/index-B2x9aQ1f.js":  {"0123456789", "text/javascript; charset=utf-8", forever},
		"/assets/core-Xy_-9aQ1.wasm": {"wasm", "application/wasm", forever},
		"/assets/16f89b26ede9.woff2": {"font", "font/woff2", forever},
		"/assets/style.css":          {"css", "text/css; charset=utf-8", asked},
		"/assets/alone.gz":           {"no form of anything", "application/octet-stream", asked},
		"/B2x9aQ1f-B2x9aQ1f.js":      {"not in assets", "text/javascript; charset=utf-8", asked},
	} {
		answer := ask(t, pages, http.MethodGet, path, nil)
		header := answer.Header()
		if answer.Code != http.StatusOK || answer.Body.String() != want.content {
			t.Errorf("%s: %d %q", path, answer.Code, answer.Body)
		}
		if header.Get("Content-Type") != want.media || header.Get("Cache-Control") != want.cache {
			t.Errorf("%s: %v, want %q, %q", path, header, want.media, want.cache)
		}
		if header.Get("Content-Security-Policy") != "default-src 'none'" {
			t.Errorf("%s is served without the site's header", path)
		}
	}
}

func TestWhatTheBuildDidNotMakeIsNotThere(t *testing.T) {
	pages := serve(t)
	for _, path := range []string{
		"/nothing", "/assets", "/assets/", "//index.html", "/./index.html", "/assets/../index.html", "/../site.go", "/..", "../site.go",
		"/INDEX.HTML", "/index.html/", "/index", "/index.html\x00", "/assets\\style.css", "/%69ndex.html",
		"/index.html.br", "/index.html.gz", "/assets/index-B2x9aQ1f.js.br", "/.gitkeep", "/assets/.hidden.js",
	} {
		answer := ask(t, pages, http.MethodGet, path, nil)
		if answer.Code != http.StatusNotFound {
			t.Errorf("%q: %d %q", path, answer.Code, answer.Body)
		}
		if cache := answer.Header().Get("Cache-Control"); cache != "" {
			t.Errorf("%q: what is not there is cached: %q", path, cache)
		}
	}
}

func TestTheFormIsTheOneThatIsAskedFor(t *testing.T) {
	pages := serve(t)
	for accept, want := range map[string]struct{ encoding, content string }{
		"":                             {"", "0123456789"},
		"gzip, deflate, br, zstd":      {"br", "js by br"},
		"gzip":                         {"gzip", "js by gzip"},
		"GZIP":                         {"gzip", "js by gzip"},
		"deflate":                      {"", "0123456789"},
		"*":                            {"br", "js by br"},
		"*;q=0":                        {"", "0123456789"},
		"br;q=0, *":                    {"gzip", "js by gzip"},
		"br;q=0, gzip;q=0":             {"", "0123456789"},
		"br;q=0.5, gzip;q=0.8":         {"gzip", "js by gzip"},
		"br;q=0.5,gzip;q=0.5":          {"br", "js by br"},
		"br;q=0.2, identity;q=0.9":     {"", "0123456789"},
		"br ; Q=1, gzip":               {"br", "js by br"},
		"br;q=2, gzip;q=nonsense":      {"", "0123456789"},
		"br;q=-1, gzip;q=0.001":        {"gzip", "js by gzip"},
		"br;q=NaN, gzip":               {"gzip", "js by gzip"},
		"identity;q=0, *;q=0":          {"", "0123456789"},
		",,;;q=1,=, gzip;q = 0.3 , ;;": {"gzip", "js by gzip"},
	} {
		answer := ask(t, pages, http.MethodGet, "/assets/index-B2x9aQ1f.js", http.Header{"Accept-Encoding": {accept}})
		header := answer.Header()
		if header.Get("Content-Encoding") != want.encoding || answer.Body.String() != want.content {
			t.Errorf("%q: %q %q, want %q", accept, header.Get("Content-Encoding"), answer.Body, want)
		}
		if header.Get("Vary") != "Accept-Encoding" || header.Get("Content-Type") != "text/javascript; charset=utf-8" ||
			header.Get("Content-Length") != fmt.Sprint(len(want.content)) {
			t.Errorf("%q: %v", accept, header)
		}
	}
}

func TestWishesInSeveralHeadersAreOne(t *testing.T) {
	answer := ask(t, serve(t), http.MethodGet, "/", http.Header{"Accept-Encoding": {"gzip;q=0.1", "br"}})
	if got := answer.Header().Get("Content-Encoding"); got != "br" {
		t.Errorf("encoding %q", got)
	}
}

func TestWhatIsNotCompressedVariesByNothing(t *testing.T) {
	answer := ask(t, serve(t), http.MethodGet, "/sw.js", http.Header{"Accept-Encoding": {"br, gzip"}})
	if header := answer.Header(); header.Get("Vary") != "" || header.Get("Content-Encoding") != "" || answer.Body.String() != "worker" {
		t.Errorf("%v %q", header, answer.Body)
	}
}

// A cache must not take the bytes of one form for those of another.
func TestEachFormHasATagByWhichItIsNotSentAgain(t *testing.T) {
	pages := serve(t)
	seen := map[string]string{}
	for _, encoding := range []string{"br", "gzip", "identity"} {
		header := http.Header{"Accept-Encoding": {encoding}}
		tag := ask(t, pages, http.MethodGet, "/", header).Header().Get("Etag")
		if other, twice := seen[tag]; twice || tag == "" {
			t.Errorf("%s has the tag %q of %q", encoding, tag, other)
		}
		seen[tag] = encoding
		header.Set("If-None-Match", tag)
		answer := ask(t, pages, http.MethodGet, "/", header)
		if answer.Code != http.StatusNotModified || answer.Body.Len() != 0 {
			t.Errorf("%s: %d %q", encoding, answer.Code, answer.Body)
		}
		if got := answer.Header(); got.Get("Etag") != tag || got.Get("Cache-Control") != "no-cache" || got.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s, not modified: %v", encoding, got)
		}
	}
	answer := ask(t, pages, http.MethodGet, "/", http.Header{"If-None-Match": {`"of another build"`}})
	if answer.Code != http.StatusOK {
		t.Errorf("another build's tag: %d", answer.Code)
	}
}

func TestTheTagChangesWithTheContent(t *testing.T) {
	files := build()
	before := ask(t, serve(t), http.MethodGet, "/", nil).Header().Get("Etag")
	files["index.html"].Data = []byte("<!doctype HTML>")
	pages, err := site.New(files, nil, http.NotFoundHandler())
	if err != nil {
		t.Fatal(err)
	}
	if after := ask(t, pages, http.MethodGet, "/", nil).Header().Get("Etag"); after == before {
		t.Error("a new build has the old tag")
	}
}

func TestHeadSaysWhatGetWould(t *testing.T) {
	pages := serve(t)
	for _, accept := range []string{"", "br", "gzip"} {
		header := http.Header{"Accept-Encoding": {accept}}
		get, head := ask(t, pages, http.MethodGet, "/", header), ask(t, pages, http.MethodHead, "/", header)
		if head.Code != http.StatusOK || head.Body.Len() != 0 {
			t.Errorf("%q: %d %q", accept, head.Code, head.Body)
		}
		if got, want := fmt.Sprint(head.Header()), fmt.Sprint(get.Header()); got != want {
			t.Errorf("%q: HEAD says %s, GET %s", accept, got, want)
		}
	}
}

func TestPartsAreOfTheFileItself(t *testing.T) {
	pages := serve(t)
	for wanted, want := range map[string]struct {
		status         int
		content, which string
	}{
		"bytes=2-4":  {http.StatusPartialContent, "234", "bytes 2-4/10"},
		"bytes=8-":   {http.StatusPartialContent, "89", "bytes 8-9/10"},
		"bytes=-3":   {http.StatusPartialContent, "789", "bytes 7-9/10"},
		"bytes=0-99": {http.StatusPartialContent, "0123456789", "bytes 0-9/10"},
	} {
		answer := ask(t, pages, http.MethodGet, "/assets/index-B2x9aQ1f.js", http.Header{"Range": {wanted}, "Accept-Encoding": {"br"}})
		header := answer.Header()
		if answer.Code != want.status || answer.Body.String() != want.content || header.Get("Content-Range") != want.which {
			t.Errorf("%s: %d %q %v", wanted, answer.Code, answer.Body, header)
		}
		if header.Get("Content-Encoding") != "" || header.Get("Content-Length") != fmt.Sprint(len(want.content)) {
			t.Errorf("%s: %v", wanted, header)
		}
	}
	answer := ask(t, pages, http.MethodGet, "/assets/index-B2x9aQ1f.js", http.Header{"Range": {"bytes=10-"}})
	if answer.Code != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("beyond the end: %d", answer.Code)
	}
}

// Whatever is asked for: an answer is a file of the build under its own name, in a form that its headers name, or there is none.
func FuzzAsk(f *testing.F) {
	files := build()
	for _, path := range []string{"/", "/index.html", "/assets/index-B2x9aQ1f.js", "/../index.html", "//", "/assets", "/index.html.br", "/.gitkeep", "index.html", "/index.html\x00"} {
		for _, encodings := range []string{"", "br", "gzip;q=0.5, br;q=0.4", "*;q=0", "identity;q=0", "br;q=NaN", "br;q=Inf", ";,;"} {
			f.Add(false, path, encodings, "", "")
		}
		f.Add(true, path, "gzip", "bytes=0-1,3-4", "")
		f.Add(false, path, "br", "bytes=-1", `W/"x", *`)
	}
	forms := map[string]string{"": "", "br": ".br", "gzip": ".gz"}
	f.Fuzz(func(t *testing.T, head bool, path, encodings, ranges, known string) {
		method := map[bool]string{false: http.MethodGet, true: http.MethodHead}[head]
		header := http.Header{"Accept-Encoding": {encodings}, "Range": {ranges}, "If-None-Match": {known}}
		request := &http.Request{Method: method, URL: &url.URL{Path: path}, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
		recorder := httptest.NewRecorder()
		serve(t).ServeHTTP(recorder, request.WithContext(t.Context()))
		name := cmp.Or(strings.TrimPrefix(path, "/"), "index.html")
		form, ok := forms[recorder.Header().Get("Content-Encoding")]
		if !ok {
			t.Fatalf("an encoding that nobody has: %v", recorder.Header())
		}
		switch file := files[name+form]; {
		case recorder.Code == http.StatusOK && !head:
			if file == nil || recorder.Body.String() != string(file.Data) {
				t.Fatalf("%q is answered by %q", path, recorder.Body)
			}
		case !slices.Contains([]int{
			http.StatusOK, http.StatusPartialContent, http.StatusNotModified, http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable,
		}, recorder.Code):
			t.Fatalf("%s %q has the status %d", method, path, recorder.Code)
		}
	})
}

package server_test

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/letterlock/letterlock/internal/testserver"
	"github.com/letterlock/letterlock/web"
)

// pages are as small as a web build can be.
func pages(title string) fs.FS {
	return fstest.MapFS{
		"index.html":               {Data: []byte("<!doctype html>" + title)},
		"index.html.br":            {Data: []byte("compressed " + title)},
		"assets/index-B2x9aQ1f.js": {Data: []byte("script of " + title)},
		"assets/style.css":         {Data: []byte("style of " + title)},
	}
}

func withPages(t *testing.T) *testserver.Server {
	t.Helper()
	return testserver.Start(t, testserver.Options{App: pages("client"), Playground: pages("playground")})
}

// What is no page may do nothing at all, should a browser take it for one.
const nothingAllowed = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

func TestEveryAnswerTellsBrowsersWhatItMayDo(t *testing.T) {
	server := withPages(t)
	const forever, asked, never = "public, max-age=31536000, immutable", "no-cache", "no-store"
	for _, want := range []struct {
		method, path, body string
		status             int
		policy, cache      string
	}{
		{"GET", "/", "", 200, web.AppCSP, asked},
		{"HEAD", "/", "", 200, web.AppCSP, asked},
		{"GET", "/index.html", "", 200, web.AppCSP, asked},
		{"GET", "/assets/index-B2x9aQ1f.js", "", 200, web.AppCSP, forever},
		{"GET", "/assets/style.css", "", 200, web.AppCSP, asked},
		{"GET", "/playground/", "", 200, web.PlaygroundCSP, asked},
		{"GET", "/playground/assets/index-B2x9aQ1f.js", "", 200, web.PlaygroundCSP, forever},
		{"GET", "/playground", "", 308, nothingAllowed, ""},
		{"GET", "/nothing", "", 404, nothingAllowed, never},
		{"GET", "/index.html.br", "", 404, nothingAllowed, never},
		{"GET", "/assets/", "", 404, nothingAllowed, never},
		{"GET", "/..%2f..%2fetc/passwd", "", 404, nothingAllowed, never},
		{"GET", "/playground/nothing", "", 404, nothingAllowed, never},
		{"GET", "/playground/..%2findex.html", "", 404, nothingAllowed, never},
		{"POST", "/", "{}", 405, nothingAllowed, never},
		{"GET", "/healthz", "", 200, nothingAllowed, never},
		{"GET", "/readyz", "", 200, nothingAllowed, never},
		{"POST", "/graphql", `{"query":"{server{version}}"}`, 200, nothingAllowed, ""},
		{"POST", "/graphql", `{"query":"{`, 400, nothingAllowed, ""},
		{"GET", "/graphql", "", 405, nothingAllowed, ""},
	} {
		answer := server.Do(t, want.method, want.path, http.Header{"Content-Type": {plain}, "Accept": {"*/*"}}, []byte(want.body))
		at, isApp := want.method+" "+want.path, want.policy == web.AppCSP
		if answer.Status != want.status {
			t.Errorf("%s: status %d, want %d", at, answer.Status, want.status)
		}
		embedder := ""
		if isApp {
			embedder = "require-corp"
		}
		for name, value := range map[string]string{
			"Content-Security-Policy": want.policy, "Cache-Control": want.cache, "Cross-Origin-Embedder-Policy": embedder,
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := answer.Header.Values(name); strings.Join(got, "|") != value {
				t.Errorf("%s: %s is %q, want %q", at, name, got, value)
			}
		}
		refuseOtherPermissions(t, at, answer.Header, isApp)
	}
}

// refuseOtherPermissions: the client scans codes and copies; nothing else may use anything, for others least of all.
func refuseOtherPermissions(t *testing.T, at string, header http.Header, isApp bool) {
	t.Helper()
	given := map[string]string{}
	for entry := range strings.SplitSeq(header.Get("Permissions-Policy"), ", ") {
		name, to, _ := strings.Cut(entry, "=")
		given[name] = to
	}
	for _, name := range []string{"geolocation", "microphone", "usb", "payment"} {
		if given[name] != "()" {
			t.Errorf("%s: %s is given to %q", at, name, given[name])
		}
	}
	for name, to := range given {
		wanted := name == "clipboard-write" || isApp && name == "camera"
		if to != "()" && to != "(self)" || (to == "(self)") != wanted {
			t.Errorf("%s: %s is given to %s", at, name, to)
		}
	}
}

func TestPagesAreCompressedAndAskedForOnce(t *testing.T) {
	server := withPages(t)
	for path, title := range map[string]string{"/": "client", "/playground/": "playground"} {
		first := server.Do(t, http.MethodGet, path, http.Header{"Accept-Encoding": {"br"}}, nil)
		if first.Body != "compressed "+title || first.Header.Get("Content-Encoding") != "br" {
			t.Errorf("%s: %q %v", path, first.Body, first.Header)
		}
		again := server.Do(t, http.MethodGet, path,
			http.Header{"Accept-Encoding": {"br"}, "If-None-Match": {first.Header.Get("Etag")}}, nil)
		if again.Status != http.StatusNotModified || again.Body != "" || again.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s again: %d %q", path, again.Status, again.Body)
		}
	}
}

func TestPagesAreOnlyRead(t *testing.T) {
	for name, server := range map[string]*testserver.Server{
		"built": withPages(t), "not built": testserver.Start(t, testserver.Options{}),
	} {
		for _, path := range []string{"/", "/nothing"} {
			answer := server.Do(t, http.MethodPost, path, nil, []byte("x"))
			if answer.Status != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s, POST %s: %d, Allow %q", name, path, answer.Status, answer.Header.Get("Allow"))
			}
		}
	}
}

func TestPagesThatAreNotBuiltSayHowToBuildThem(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	for path, status := range map[string]int{"/": 200, "/playground/": 404, "/playground/index.html": 404} {
		answer := server.Do(t, http.MethodGet, path, nil, nil)
		if answer.Status != status || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %v", path, answer.Status, answer.Header)
		}
		for _, word := range []string{"make build", "Node", "/graphql"} {
			if !strings.Contains(answer.Body, word) {
				t.Errorf("%s says nothing of %s: %s", path, word, answer.Body)
			}
		}
	}
	if answer := server.Query(t, "", "{ server { version } }", nil); len(answer.Errors) > 0 {
		t.Errorf("the API: %+v", answer.Errors)
	}
}

func TestOnlyOneOfTheTwoIsBuilt(t *testing.T) {
	server := testserver.Start(t, testserver.Options{Playground: pages("playground")})
	if answer := server.Do(t, http.MethodGet, "/playground/", nil, nil); answer.Body != "<!doctype html>playground" {
		t.Errorf("%d %s", answer.Status, answer.Body)
	}
	if answer := server.Do(t, http.MethodGet, "/", nil, nil); !strings.Contains(answer.Body, "make build") {
		t.Errorf("%d %s", answer.Status, answer.Body)
	}
}

// The client on a host of its own: its pages may call with a token, those of others may not.
func TestOnlyPagesOfAllowedOriginsMayCallWithAToken(t *testing.T) {
	server := testserver.Start(t, testserver.Options{
		PublicURLs: []string{"https://chat.example.org"}, AllowedOrigins: []string{"https://app.example.org"}, App: pages("client"),
	})
	preflight := func(origin string) http.Header {
		return server.Do(t, http.MethodOptions, "/graphql", http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {"POST"},
			"Access-Control-Request-Headers": {"authorization,content-type"},
		}, nil).Header
	}
	header := preflight("https://app.example.org")
	if header.Get("Access-Control-Allow-Origin") != "https://app.example.org" ||
		!strings.Contains(strings.ToLower(header.Get("Access-Control-Allow-Headers")), "authorization") ||
		!strings.Contains(strings.Join(header.Values("Vary"), ","), "Origin") {
		t.Errorf("allowed: %v", header)
	}
	if header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("pages may send cookies, which mean nothing here")
	}
	for name := range preflight("https://evil.example.org") {
		if strings.HasPrefix(name, "Access-Control-Allow-") {
			t.Errorf("refused, but %s", name)
		}
	}
	// What is no API is nobody's to read, allowed or not.
	for _, path := range []string{"/", "/assets/index-B2x9aQ1f.js", "/healthz"} {
		answer := server.Do(t, http.MethodGet, path, http.Header{"Origin": {"https://app.example.org"}}, nil)
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s may be read by %s", path, got)
		}
	}
}

package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/letterlock/letterlock/web"
)

func ask(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return recorder
}

func TestPlaygroundFiles(t *testing.T) {
	h := playground(fstest.MapFS{
		"index.html":               {Data: []byte("<!doctype html>playground")},
		"assets/index-B2x9aQ1f.js": {Data: []byte("js")},
		"assets/16f89b26ede9.woff": {Data: []byte("font")},
		"assets/style.css":         {Data: []byte("css")},
	}, true)
	for path, want := range map[string]struct {
		status           int
		media, cacheable string
	}{
		"/playground/":                         {200, "text/html", "no-cache"},
		"/playground/assets/index-B2x9aQ1f.js": {200, "text/javascript", "public, max-age=31536000, immutable"},
		"/playground/assets/16f89b26ede9.woff": {200, "font/woff", "public, max-age=31536000, immutable"},
		"/playground/assets/style.css":         {200, "text/css", "no-cache"},
		"/playground/assets/":                  {404, "text/plain", "no-store"},
		"/playground/nothing":                  {404, "text/plain", "no-store"},
	} {
		answer := ask(t, h, path)
		header := answer.Header()
		if answer.Code != want.status || !strings.HasPrefix(header.Get("Content-Type"), want.media) || header.Get("Cache-Control") != want.cacheable {
			t.Errorf("%s: %d %v", path, answer.Code, header)
		}
		if policy := header.Get("Content-Security-Policy"); want.status == http.StatusOK && policy != web.PlaygroundCSP {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

func TestPlaygroundThatIsNotBuilt(t *testing.T) {
	answer := ask(t, playground(nil, false), "/playground/")
	if answer.Code != http.StatusNotFound || !strings.Contains(answer.Body.String(), "make build") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

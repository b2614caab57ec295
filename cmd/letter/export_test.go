package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/letterlock/letterlock/internal/testserver"
)

// What a server says of a user is shown as it says it, but nothing in it drives the terminal.
func TestExportDrivesNoTerminal(t *testing.T) {
	var target atomic.Pointer[url.URL]
	middle := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if bytes.Contains(body, []byte("query ExportUser")) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"data":{"exportUser":{"userId":"`+"\u009b2J\u202e\x7f"+`","hasMore":false,"deviceLists":[],"devices":[]}}}`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		httputil.NewSingleHostReverseProxy(target.Load()).ServeHTTP(w, r)
	}))
	defer middle.Close()
	target.Store(&url.URL{Scheme: "http", Host: testserver.Start(t, testserver.Options{PublicURLs: []string{middle.URL}}).Addr})
	var out, said bytes.Buffer
	letter := func(command string) {
		out.Reset()
		args := []string{command, "--home", filepath.Join(t.TempDir(), "..", "home"), "--server", middle.URL}
		if code := run(t.Context(), args, console{in: http.NoBody, out: &out, err: &said}); code != exitDone {
			t.Fatalf("letter %s ends with %d: %s", command, code, said.String())
		}
	}
	letter("init")
	letter("export")
	for _, r := range out.String() {
		if r != '\n' && !harmless(r) {
			t.Errorf("it lets %U through: %q", r, out.String())
		}
	}
	if !bytes.Contains(out.Bytes(), []byte(`\u009b2J\u202e`)) {
		t.Errorf("it does not say what the server says: %q", out.String())
	}
}

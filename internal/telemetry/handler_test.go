package telemetry

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

// A profile ends, however long somebody asked for, and is a profile all the same.
func TestProfilesAreBounded(t *testing.T) {
	h := bounded(pprof.Profile, 10*time.Millisecond)
	w := get(t, h, "/debug/pprof/profile?seconds=100000")
	if gzip := []byte{0x1f, 0x8b}; w.Code != http.StatusOK || !bytes.HasPrefix(w.Body.Bytes(), gzip) {
		t.Errorf("status %d: %.40q", w.Code, w.Body)
	}
}

// The command line may hold the password of the database: nothing tells it.
func TestCommandLineIsNotTold(t *testing.T) {
	h := New(Options{}).Handler(slog.New(slog.DiscardHandler))
	if w := get(t, h, "/debug/pprof/cmdline"); w.Code != http.StatusNotFound {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if w := get(t, h, "/debug/pprof/heap"); w.Code != http.StatusOK {
		t.Errorf("heap: status %d: %s", w.Code, w.Body)
	}
}

// What asks for the names of symbols may not send without end.
func TestSymbolsAreBounded(t *testing.T) {
	server := httptest.NewServer(New(Options{}).Handler(slog.New(slog.DiscardHandler)))
	defer server.Close()
	endless := &counting{Reader: io.LimitReader(zeros{}, 1<<30)}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/debug/pprof/symbol", endless)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	if taken := endless.read.Load(); taken > 64<<20 {
		t.Errorf("%d bytes were taken", taken)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// counting counts what is read of a body.
type counting struct {
	io.Reader
	read atomic.Int64 // the client may go on sending after the answer
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// Codes that nobody knows do not become labels: who makes one up makes no new series.
func TestLabelsAreBounded(t *testing.T) {
	m := New(Options{Codes: []string{"OVERLOADED"}})
	for range 3 {
		m.Refusals.Refused("OVERLOADED")
	}
	m.Refusals.Refused("u7xexample")
	m.Requests.Answered("/graphql", 999)
	text := get(t, m.Handler(slog.New(slog.DiscardHandler)), "/metrics").Body.String()
	for _, want := range []string{
		`letterlock_refusals_total{code="OVERLOADED"} 3`, `letterlock_refusals_total{code="OTHER"} 1`,
		`letterlock_http_requests_total{route="/graphql",status="other"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s", want)
		}
	}
	if strings.Contains(text, "u7xexample") {
		t.Error("an unknown code became a label")
	}
}

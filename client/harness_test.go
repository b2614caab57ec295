package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/testserver"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// person makes a user in a home of their own and registers them.
func person(t *testing.T, server string, change ...func(*client.Options)) *client.Client {
	t.Helper()
	options := client.Options{Home: filepath.Join(t.TempDir(), "home"), Server: server}
	for _, c := range change {
		c(&options)
	}
	c, err := client.Init(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, c) })
	if err := c.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func home(dir string) func(*client.Options) { return func(o *client.Options) { o.Home = dir } }

// reopen opens another client on a home.
func reopen(t *testing.T, options client.Options) *client.Client {
	t.Helper()
	c, err := client.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, c) })
	return c
}

func closed(t *testing.T, c *client.Client) {
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func send(t *testing.T, from *client.Client, to client.UserID, text string) {
	t.Helper()
	if _, err := from.Send(t.Context(), to, text); err != nil {
		t.Fatalf("send %q: %v", text, err)
	}
}

// listening is a Listen at work.
type listening struct {
	t       *testing.T
	notices chan client.Notice
	cancel  context.CancelFunc
	ended   chan error
}

func listen(t *testing.T, c *client.Client) *listening {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &listening{t: t, notices: make(chan client.Notice, 1000), cancel: cancel, ended: make(chan error, 1)}
	go func() {
		l.ended <- c.Listen(ctx, func(_ context.Context, notice client.Notice) error {
			l.notices <- notice
			return nil
		})
	}()
	t.Cleanup(cancel)
	return l
}

// next waits for the next notice.
func (l *listening) next() client.Notice {
	l.t.Helper()
	select {
	case notice := <-l.notices:
		return notice
	case err := <-l.ended:
		l.t.Fatalf("Listen has ended: %v", err)
	case <-time.After(patience):
		l.t.Fatal("nothing came")
	}
	return client.Notice{}
}

// text waits for the next notice, which must be a message with this text.
func (l *listening) text(want string) {
	l.t.Helper()
	if n := l.next(); n.Message == nil || n.Message.Text != want {
		l.t.Fatalf("notice %+v, want the message %q", n, want)
	}
}

// end waits for Listen's error.
func (l *listening) end() error {
	l.t.Helper()
	select {
	case err := <-l.ended:
		return err
	case <-time.After(patience):
		l.t.Fatal("Listen does not end")
		return nil
	}
}

// stop stops Listen in order.
func (l *listening) stop() {
	l.t.Helper()
	l.cancel()
	if err := l.end(); !errors.Is(err, context.Canceled) {
		l.t.Fatalf("Listen ended with %v", err)
	}
}

// inbox gives the texts that wait.
func inbox(t *testing.T, c *client.Client) (texts []string) {
	t.Helper()
	err := c.Inbox(t.Context(), func(_ context.Context, n client.Notice) error {
		if n.Message == nil {
			t.Errorf("notice %+v, want messages alone", n)
			return nil
		}
		texts = append(texts, n.Message.Text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func history(t *testing.T, c *client.Client, with client.UserID) (texts []string) {
	t.Helper()
	messages, err := c.History(t.Context(), with, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		texts = append(texts, m.Text)
	}
	return texts
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// eventually waits for a condition that nothing announces.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(patience); ; {
		if condition() {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("still not: %s", what)
		}
	}
}

// middle stands between clients and the server, and may answer in its place: the adversary.
type middle struct {
	*httptest.Server
	target atomic.Pointer[url.URL]
	mutex  sync.Mutex
	meddle func(operation string, w http.ResponseWriter, r *http.Request, forward http.Handler) bool
	seen   []string
}

// newMiddle starts a server behind a middle.
func newMiddle(t *testing.T, change ...func(*testserver.Options)) *middle {
	t.Helper()
	m := new(middle)
	m.Server = httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(m.Close)
	options := testserver.Options{PublicURLs: []string{m.URL}}
	for _, c := range change {
		c(&options)
	}
	s := testserver.Start(t, options)
	m.target.Store(&url.URL{Scheme: "http", Host: s.Addr})
	return m
}

func (m *middle) serve(w http.ResponseWriter, r *http.Request) {
	target := m.target.Load()
	forward := &httputil.ReverseProxy{
		Rewrite:      func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	operation := "socket"
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		var request struct{ OperationName string }
		if json.Unmarshal(body, &request) == nil {
			operation = request.OperationName
		}
	}
	m.mutex.Lock()
	m.seen = append(m.seen, operation)
	meddle := m.meddle
	m.mutex.Unlock()
	if meddle == nil || !meddle(operation, w, r, forward) {
		forward.ServeHTTP(w, r)
	}
}

// on sets what the middle does; it returns false for what it lets through.
func (m *middle) on(meddle func(operation string, w http.ResponseWriter, r *http.Request, forward http.Handler) bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.meddle, m.seen = meddle, nil
}

// count says how often an operation was asked for since on.
func (m *middle) count(operation string) (n int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, seen := range m.seen {
		if seen == operation {
			n++
		}
	}
	return n
}

// says answers one operation with a text.
func (m *middle) says(operation, contentType, body string) {
	m.on(func(op string, w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		if op != operation {
			return false
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
		return true
	})
}

// fails answers an operation with an error code, this many times, then lets it through.
func (m *middle) fails(operation, extensions string, times int) {
	m.on(func(op string, w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		if op != operation || m.count(operation) > times {
			return false
		}
		w.Header().Set("Content-Type", "application/graphql-response+json")
		_, _ = io.WriteString(w, `{"errors":[{"message":"no","extensions":`+extensions+`}]}`)
		return true
	})
}

package testserver

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// Events is a raw client of server-sent events.
type Events struct {
	t      testing.TB
	Status int
	// Protocol is that of the answer, like HTTP/2.0.
	Protocol string
	Header   http.Header
	lines    *bufio.Scanner
}

// Stream runs an operation and reads its events. The stream ends with the test, or with ctx.
func (s *Server) Stream(ctx context.Context, t testing.TB, token, query string, variables map[string]any) *Events {
	t.Helper()
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return s.StreamWith(ctx, t, header, query, variables)
}

// StreamWith is Stream with headers.
func (s *Server) StreamWith(ctx context.Context, t testing.TB, header http.Header, query string, variables map[string]any) *Events {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Scheme+"://"+s.Addr+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header.Clone()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	transport := s.transport()
	t.Cleanup(transport.CloseIdleConnections)
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return &Events{t: t, Status: response.StatusCode, Protocol: response.Proto, Header: response.Header, lines: lines}
}

// Next gives the answer in the next `next` event.
func (e *Events) Next() *Answer {
	e.t.Helper()
	kind, data, err := e.Event()
	if err != nil || kind != "next" {
		e.t.Fatalf("event %q %s, %v; want next", kind, data, err)
	}
	answer := &Answer{Body: data}
	if err := json.Unmarshal([]byte(data), answer); err != nil {
		e.t.Fatal(err)
	}
	return answer
}

// Event gives the next event, comments left out. At the end of the body the kind is empty; err is why the body broke off.
func (e *Events) Event() (kind, data string, err error) {
	for e.lines.Scan() {
		line := e.lines.Text()
		switch {
		case strings.HasPrefix(line, "event: "):
			kind = strings.TrimPrefix(line, "event: ")
		case strings.HasPrefix(line, "data: "):
			data = strings.TrimPrefix(line, "data: ")
		case line == "" && kind != "":
			return kind, data, nil
		}
	}
	return "", "", e.lines.Err()
}

// Comment waits for a comment, which is how a stream shows that it is alive, and gives its text.
func (e *Events) Comment() string {
	e.t.Helper()
	for e.lines.Scan() {
		if text, ok := strings.CutPrefix(e.lines.Text(), ":"); ok && text != "" {
			return strings.TrimSpace(text)
		}
	}
	e.t.Fatalf("the stream ended: %v", e.lines.Err())
	return ""
}

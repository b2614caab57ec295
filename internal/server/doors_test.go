package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/testserver"
)

// A page of another site can open no socket, however its origin is spelt; and a socket has no rights but those of the token that
// is sent on it: a browser adds cookies and credentials to handshakes by itself.
func TestCrossSiteWebSocketHijacking(t *testing.T) {
	s := testserver.Start(t, testserver.Options{PublicURLs: []string{"https://chat.example.org"}})
	alice := s.Register(t).Devices[0]
	for _, origins := range [][]string{
		{"https://evil.example"}, {"null"}, {"https://chat.example.org.evil.example"}, {"https://evil.example/https://chat.example.org"},
		{"http://chat.example.org"}, {"https://chat.example.org:444"}, {"https://chat.example.org", "https://evil.example"},
		{"https://evil.example", "https://chat.example.org"}, {"https://chat.example.org, https://evil.example"}, {"file://"}, {"https://"},
	} {
		for _, protocol := range []string{testserver.Modern, testserver.Legacy} {
			_, response, err := s.TryDial(t, protocol, http.Header{"Origin": origins, "Host": {"chat.example.org"}})
			if err == nil || response == nil || response.StatusCode != http.StatusForbidden {
				t.Errorf("%q by %s: %v", origins, protocol, err)
			}
		}
	}
	token := alice.Token(s.URL)
	for _, protocol := range []string{testserver.Modern, testserver.Legacy} {
		socket, _, err := s.TryDial(t, protocol, http.Header{
			"Origin": {"https://chat.example.org"}, "Authorization": {"Bearer " + token}, "Cookie": {"Authorization=Bearer " + token + "; token=" + token},
		})
		if err != nil {
			t.Fatal(err)
		}
		socket.Init("")
		socket.Expect("connection_ack")
		socket.Start("1", `{ viewer { id } }`, nil)
		if answer := socket.Next(); strings.Contains(string(answer.Data), alice.ID()) {
			t.Errorf("%s: a socket took its rights from the handshake: %s", protocol, answer.Data)
		}
	}
}

// What a form or an image of another site can send without being asked does nothing, even with a token beside it.
func TestCrossSiteRequestForgery(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	alice, bob := s.Register(t), s.Register(t)
	body := toJSON(t, testserver.SendMessage, map[string]any{"input": testserver.Message(t, "forged", alice.Devices[0], bob.Devices[0])})
	form := "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\nContent-Type: application/json\r\n\r\n" + body +
		"\r\n--x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--x--\r\n"
	token := http.Header{"Authorization": {"Bearer " + alice.Devices[0].Token(s.URL)}, "Origin": {"https://evil.example"}}
	for kind, content := range map[string]string{
		"multipart/form-data; boundary=x": form, "application/x-www-form-urlencoded": "query=" + body, "text/plain": body, "": body,
		"text/plain; application/json": body, "application/json, text/plain": body, "application/json; charset=utf-7": body,
		"application/jsonx": body, "text/json": body, "application/graphql": testserver.SendMessage,
	} {
		header := token.Clone()
		header["Content-Type"] = []string{kind}
		if answer := s.Post(t, header, []byte(content)); answer.Status != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d %s", kind, answer.Status, answer.Body)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		path := "/graphql?" + "query=" + "%7Bserver%7Bversion%7D%7D"
		header := token.Clone()
		header.Set("Content-Type", "application/json")
		if answer := s.Do(t, method, path, header, []byte(body)); answer.Status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d %s", method, answer.Status, answer.Body)
		}
	}
	if n := len(waiting(t, s, bob.Devices[0])); n != 0 {
		t.Errorf("%d messages were forged", n)
	}
}

// A token that one server was given is worth nothing at another, by any way in.
func TestTokenForAnotherServer(t *testing.T) {
	here := testserver.Start(t, testserver.Options{PublicURLs: []string{"https://here.example.org"}})
	there := testserver.Start(t, testserver.Options{PublicURLs: []string{"https://there.example.org"}})
	alice := here.Register(t)
	if answer := tryRegister(t, there, alice, ""); answer.Code() != "" {
		t.Fatal(answer.Body)
	}
	stolen := alice.Devices[0].Token(here.URL)
	if answer := there.Query(t, stolen, `{ viewer { id } }`, nil); answer.Code() != "UNAUTHENTICATED" {
		t.Error(answer.Body)
	}
	for _, protocol := range []string{testserver.Modern, testserver.Legacy} {
		socket := there.Dial(t, protocol)
		socket.Init(stolen)
		if code, reason := socket.Closed(); code != 4403 {
			t.Errorf("%s: %d %s", protocol, code, reason)
		}
	}
	if _, data, _ := there.Stream(t.Context(), t, stolen, testserver.Received, nil).Event(); !strings.Contains(data, "UNAUTHENTICATED") {
		t.Errorf("event %s", data)
	}
	// The Host header is the caller's, and makes no audience.
	header := http.Header{"Host": {"here.example.org"}, "X-Forwarded-Host": {"here.example.org"}, "Content-Type": {plain}, "Authorization": {"Bearer " + stolen}}
	if answer := there.Post(t, header, []byte(viewerQuery)); answer.Code() != "UNAUTHENTICATED" {
		t.Error(answer.Body)
	}
}

// What belongs to another device opens nothing and deletes nothing, and its ids are free for everybody.
func TestAnothersCursorAndMessageID(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	alice, bob, eve := s.Register(t).Devices[0], s.Register(t).Devices[0], s.Register(t).Devices[0]
	input := testserver.Message(t, "for Bob", alice, bob)
	s.Query(t, alice.Token(s.URL), testserver.SendMessage, map[string]any{"input": input}).Into(t, &struct{}{})
	stolen := waiting(t, s, bob)[0]
	token := eve.Token(s.URL)
	for name, answer := range map[string]*testserver.Answer{
		"acknowledge": s.Query(t, token, testserver.Acknowledge, map[string]any{"upTo": stolen.Cursor}),
		"page":        s.Query(t, token, `query($a: Cursor) { mailbox(after: $a) { nodes { ciphertext } } }`, map[string]any{"a": stolen.Cursor}),
	} {
		if answer.Code() != "CURSOR_INVALID" {
			t.Errorf("%s: %s", name, answer.Body)
		}
	}
	if _, data, _ := s.Stream(t.Context(), t, token, testserver.Received, map[string]any{"after": stolen.Cursor}).Event(); !strings.Contains(data, "CURSOR_INVALID") {
		t.Errorf("event %s", data)
	}
	if n := len(waiting(t, s, bob)); n != 1 {
		t.Errorf("%d messages wait for Bob", n)
	}
	// The same id of another device is another message: whether it was used before can't be told from the answer.
	theirs := testserver.Message(t, "of Eve", eve, bob)
	theirs["messageId"] = input["messageId"]
	answer := s.Query(t, token, testserver.SendMessage, map[string]any{"input": theirs})
	if answer.Code() != "" || !strings.Contains(answer.Body, "STORED") || len(waiting(t, s, bob)) != 2 {
		t.Error(answer.Body)
	}
}

// Whatever a caller sends, a log line is one line, and its words are the server's.
func TestLogsCannotBeForged(t *testing.T) {
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler {
			return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
		"json": func(w io.Writer) slog.Handler {
			return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
	} {
		t.Run(name, func(t *testing.T) {
			log := &buffer{}
			s := testserver.Start(t, testserver.Options{Log: slog.New(handler(log))})
			const evil = "\r\ntime=2026 level=ERROR msg=forged\x1b[2J\x00\u2028\u202e"
			for _, path := range []string{
				"/%0d%0atime=2026%20level=ERROR%20msg=forged", "/a%1b%5b2Jb", "/%00", "/%e2%80%a8x", "/playground/%0amsg=forged", "/graphql/%0d%0amsg=forged",
			} {
				s.Do(t, http.MethodGet, path, nil, nil)
			}
			s.Do(t, "FORGED", "/graphql", nil, nil)
			for _, body := range []any{
				map[string]any{"query": evil}, map[string]any{"query": "query A { server { version } }", "operationName": evil},
				map[string]any{"query": `query($a: ID!) { user(id: $a) { id } }`, "variables": map[string]any{"a": evil}},
				map[string]any{"query": `{ ` + "a\u2028" + ` }`}, map[string]any{evil: evil},
			} {
				text, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				s.Post(t, http.Header{"Content-Type": {plain}, "Authorization": {"Bearer \tforged"}}, text)
			}
			socket := s.Dial(t, testserver.Modern)
			socket.Send("connection_init", "", map[string]any{"Authorization": "Bearer " + evil})
			socket.Closed()
			raw(t, s, "GET /\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n")
			raw(t, s, "GET / HTTP/1.1\r\nHost: x\r\nEvil: a\x1bb\r\n\r\n")
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			checkLines(t, log.String(), name == "json")
		})
	}
}

func checkLines(t *testing.T, log string, asJSON bool) {
	t.Helper()
	if !strings.Contains(log, "request") {
		t.Fatalf("nothing is logged: %s", log)
	}
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u202e' }) {
			t.Errorf("a line with bytes that are no text: %q", line)
		}
		if asJSON && !json.Valid([]byte(line)) || !asJSON && !strings.HasPrefix(line, "time=20") || strings.HasPrefix(line, "time=2026 ") {
			t.Errorf("a line that is not the server's: %q", line)
		}
	}
}

// raw is an exchange of which the server is told the end.
func raw(t *testing.T, s *testserver.Server, request string) string {
	t.Helper()
	return exchange(t, s, request, true)
}

// exchange says something and gives all that the server answers until it hangs up. With end it is told that no more comes, and hangs up
// after what it has answered by then: a request that is being worked on is given up.
func exchange(t *testing.T, s *testserver.Server, request string, end bool) string {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if end {
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	answer, _ := io.ReadAll(conn) // what the server thinks of the end is in what it has said
	return string(answer)
}

// Nothing but the files of the build is served, whatever the path is made of, and no path leads to another site.
func TestPathTricks(t *testing.T) {
	files := fstest.MapFS{
		"index.html": {Data: []byte("the page")}, "assets/a-12345678.js": {Data: []byte("the script")}, "sw.js": {Data: []byte("the worker")},
	}
	s := testserver.Start(t, testserver.Options{App: files, Playground: files})
	for _, path := range []string{
		"/../", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/assets/../../etc/passwd", "/assets/%2e%2e/%2e%2e/etc/passwd",
		`/..\..\etc\passwd`, "/..%5c..%5cetc%5cpasswd", "//etc/passwd", "//evil.example", "//evil.example/%2e%2e", "/\\evil.example", "/%2f/evil.example", "/%5cevil.example",
		"/playground//evil.example", "/playground/..//evil.example/..", "/playground/%2e%2e/%2e%2e/etc/passwd", "/playground/../../etc/passwd",
		"/%00", "/index.html%00.js", "/assets/%00", "/assets", "/assets/", "/assets/.", "/./index.html/.", "/index.html/", "/.git/config", "/%252e%252e/etc/passwd",
		"/;/../etc/passwd", "/assets;a=b/a-12345678.js", "/graphql/../etc/passwd", "/healthz/../../etc/passwd", "http://evil.example/", "*",
	} {
		answer := raw(t, s, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		_ = response.Body.Close()
		if location := response.Header.Get("Location"); strings.Contains(location, ":") || strings.HasPrefix(location, "//") || strings.HasPrefix(location, `/\`) {
			t.Errorf("%s leads to %q", path, location)
		}
		if strings.Contains(answer, "root:") || strings.Contains(answer, "<pre>") {
			t.Errorf("%s: %s", path, answer)
		}
		if response.StatusCode == http.StatusOK && path != "http://evil.example/" { // that is the page at /, asked for as proxies do
			t.Errorf("%s gives a page: %s", path, answer)
		}
	}
}

// Compressed bodies are refused as they are: nothing is blown up. Sockets agree on no compression.
func TestDecompressionBombs(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	if _, err := io.WriteString(zip, `{"query":"{ server { version } }"`); err != nil {
		t.Fatal(err)
	}
	for range 64 {
		if _, err := zip.Write(bytes.Repeat([]byte{' '}, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(zip, "}"); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	for _, encoding := range []string{"gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip"} {
		answer := s.Post(t, http.Header{"Content-Type": {plain}, "Content-Encoding": {encoding}}, bomb.Bytes())
		if answer.Status != http.StatusUnsupportedMediaType || answer.Code() != "BAD_INPUT" || answer.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("%s: %d %s", encoding, answer.Status, answer.Body)
		}
	}
	if answer := s.Post(t, http.Header{"Content-Type": {plain}, "Content-Encoding": {"identity"}}, []byte(versionQuery)); answer.Status != http.StatusOK {
		t.Errorf("identity: %s", answer.Body)
	}
	handshake := raw(t, s, "GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
	if !strings.HasPrefix(handshake, "HTTP/1.1 101 ") || strings.Contains(strings.ToLower(handshake), "extensions") {
		t.Errorf("%q", handshake)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	for name, head := range map[string]string{
		"one":  "A: " + strings.Repeat("a", 64<<10) + "\r\n",
		"many": strings.Repeat("A: aaaaaaaaaaaaaaaa\r\n", 4<<10),
	} {
		answer := raw(t, s, "GET /healthz HTTP/1.1\r\nHost: x\r\n"+head+"\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 431 ") {
			t.Errorf("%s: %.80q", name, answer)
		}
	}
	if answer := raw(t, s, "GET /"+strings.Repeat("a", 64<<10)+" HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 431 ") {
		t.Errorf("a long path: %.80q", answer)
	}
}

// Where a proxy and the server could differ over where a request ends, the request is refused, or nothing after it is looked at.
func TestRequestSmuggling(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	const post, smuggled = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	const chunks = "21\r\n{\"query\":\"{ server { version }}\"}\r\n0\r\n\r\n"
	for name, request := range map[string]string{
		"length and chunked":  post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + smuggled,
		"chunked and length":  post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunks + smuggled,
		"two lengths":         post + "Content-Length: 5\r\nContent-Length: 60\r\n\r\n" + smuggled,
		"list of lengths":     post + "Content-Length: 5, 60\r\n\r\n" + smuggled,
		"length with a sign":  post + "Content-Length: +5\r\n\r\n12345" + smuggled,
		"hexadecimal length":  post + "Content-Length: 0x5\r\n\r\n12345" + smuggled,
		"other coding":        post + "Transfer-Encoding: xchunked\r\n\r\n" + chunks + smuggled,
		"codings":             post + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunks + smuggled,
		"chunked twice":       post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + smuggled,
		"space before colon":  post + "Transfer-Encoding : chunked\r\n\r\n" + chunks + smuggled,
		"folded":              post + "X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\nBad\r\n\r\n" + smuggled,
		"chunk size too long": post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + smuggled,
		"chunk without end":   post + "Transfer-Encoding: chunked\r\n\r\n5\r\n123456789\r\n0\r\n\r\n" + smuggled,
		"two hosts":           "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + smuggled,
		"no host":             "GET /healthz HTTP/1.1\r\n\r\n" + smuggled,
	} {
		if answer := raw(t, s, request); strings.Count(answer, "HTTP/1.1 ") > 1 || strings.Contains(answer, "\r\n\r\nok\n") {
			t.Errorf("%s: what follows was answered:\n%s", name, answer)
		}
	}
	// The test would see what follows: requests may come one after the other.
	if answer := raw(t, s, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"+smuggled); strings.Count(answer, "\r\n\r\nok\n") != 2 {
		t.Errorf("two requests: %s", answer)
	}
	// Chunks are no crime; they are the last request of a connection.
	if answer := exchange(t, s, post+"Transfer-Encoding: chunked\r\n\r\n"+chunks, false); !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
		t.Errorf("chunks: %s", answer)
	}
}

// Who sends a byte now and then holds a connection for as long as a request may take, and no longer.
func TestSlowRequestsAreCutOff(t *testing.T) {
	s := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.RequestTimeout = 300 * time.Millisecond }})
	const head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"
	for name, before := range map[string]string{"line": "", "headers": head + "X: ", "body": head + "\r\n", "chunks": strings.Replace(head, "Content-Length: 100000", "Transfer-Encoding: chunked", 1) + "\r\n100000\r\n"} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, before); err != nil {
			t.Fatal(err)
		}
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _ = io.Copy(io.Discard, conn) // until the server hangs up
		}()
		drip := time.NewTicker(20 * time.Millisecond)
		patience := time.After(20 * time.Second)
		for open := true; open; {
			select {
			case <-gone:
				open = false
			case <-drip.C:
				_, _ = io.WriteString(conn, "a") // the reader finds out when nobody is there
			case <-patience:
				t.Fatalf("%s: the server still waits", name)
			}
		}
		drip.Stop()
	}
	if answer := s.Query(t, "", `{ server { version } }`, nil); answer.Code() != "" {
		t.Error(answer.Body)
	}
}

package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/testserver"
)

const (
	plain  = "application/json"
	modern = "application/graphql-response+json"
)

// GraphQL over HTTP: media types and statuses.
func TestGraphQLOverHTTP(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	const good = `{"query":"{ server { version } }"}`
	cases := []struct {
		name, method, contentType, accept, body string
		status                                  int
		media, code                             string
	}{
		{"answers as asked", "POST", plain, modern, good, 200, modern, ""},
		{"answers legacy clients", "POST", plain, plain, good, 200, plain, ""},
		{"no Accept", "POST", plain, "", good, 200, plain, ""},
		{"any Accept", "POST", plain, "*/*", good, 200, plain, ""},
		{"application/*", "POST", plain, "application/*", good, 200, plain, ""},
		{"the first of equals", "POST", plain, modern + ", " + plain, good, 200, modern, ""},
		{"the best quality", "POST", plain, plain + ";q=0.1, " + modern + ";q=0.9", good, 200, modern, ""},
		{"quality 0 is no", "POST", plain, plain + ";q=0", good, 406, plain, "BAD_INPUT"},
		{"nothing we have", "POST", plain, "text/html", good, 406, plain, "BAD_INPUT"},
		{"charset", "POST", plain + "; charset=UTF-8", modern, good, 200, modern, ""},
		{"other charset", "POST", plain + "; charset=latin1", modern, good, 415, plain, "BAD_INPUT"},
		{"no content type", "POST", "", modern, good, 415, plain, "BAD_INPUT"},
		{"text", "POST", "text/plain", modern, good, 415, plain, "BAD_INPUT"},
		{"form", "POST", "application/x-www-form-urlencoded", modern, "query=%7Bserver%7Bversion%7D%7D", 415, plain, "BAD_INPUT"},
		{"multipart", "POST", "multipart/form-data; boundary=x", modern, "--x--", 415, plain, "BAD_INPUT"},
		{"GET", "GET", "", modern, "", 405, plain, "BAD_INPUT"},
		{"PUT", "PUT", plain, modern, good, 405, plain, "BAD_INPUT"},
		{"does not parse", "POST", plain, modern, `{"query":"{"}`, 400, modern, "GRAPHQL_PARSE_FAILED"},
		{"does not parse, legacy", "POST", plain, plain, `{"query":"{"}`, 200, plain, "GRAPHQL_PARSE_FAILED"},
		{"does not fit", "POST", plain, modern, `{"query":"{ nonsense }"}`, 400, modern, "GRAPHQL_VALIDATION_FAILED"},
		{"does not fit, legacy", "POST", plain, plain, `{"query":"{ nonsense }"}`, 200, plain, "GRAPHQL_VALIDATION_FAILED"},
		{"no such operation", "POST", plain, modern, `{"query":"query a{server{version}}","operationName":"b"}`, 400, modern, "GRAPHQL_VALIDATION_FAILED"},
		{"variables missing", "POST", plain, modern, `{"query":"query($i:ID!){user(id:$i){id}}"}`, 400, modern, "BAD_INPUT"},
		{"null variables", "POST", plain, modern, `{"query":"{server{version}}","variables":null,"operationName":null,"extensions":null}`, 200, modern, ""},
		{"field error", "POST", plain, modern, `{"query":"{ mailbox { expiredCount } }"}`, 200, modern, "UNAUTHENTICATED"},
		{"no JSON", "POST", plain, modern, `{"query":`, 400, modern, "BAD_INPUT"},
		{"no JSON, legacy", "POST", plain, plain, `{"query":`, 400, plain, "BAD_INPUT"},
		{"empty", "POST", plain, modern, ``, 400, modern, "BAD_INPUT"},
		{"batch", "POST", plain, modern, `[` + good + `]`, 400, modern, "BAD_INPUT"},
		{"trailing", "POST", plain, modern, good + `{}`, 400, modern, "BAD_INPUT"},
		{"no query", "POST", plain, modern, `{"variables":{}}`, 400, modern, "BAD_INPUT"},
		{"query is a number", "POST", plain, modern, `{"query":1}`, 400, modern, "BAD_INPUT"},
		{"variables are a list", "POST", plain, modern, `{"query":"{server{version}}","variables":[]}`, 400, modern, "BAD_INPUT"},
		{"subscription by POST", "POST", plain, modern, `{"query":"subscription{messageReceived{id}}"}`, 400, modern, "BAD_INPUT"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			header := http.Header{}
			set(header, "Content-Type", c.contentType)
			set(header, "Accept", c.accept)
			answer := server.Do(t, c.method, "/graphql", header, []byte(c.body))
			if answer.Status != c.status || answer.Code() != c.code {
				t.Errorf("status %d, code %q; want %d, %q: %s", answer.Status, answer.Code(), c.status, c.code, answer.Body)
			}
			if got := answer.Header.Get("Content-Type"); got != c.media+"; charset=utf-8" {
				t.Errorf("media type %q, want %q", got, c.media)
			}
			if c.code != "" && (len(answer.Errors[0].Message) < 10 || answer.Errors[0].Extensions["stored"] != "NO") {
				t.Errorf("error says too little: %+v", answer.Errors[0])
			}
			executed := c.code == "" || c.code == "UNAUTHENTICATED"
			if has := strings.Contains(answer.Body, `"data":`); has != executed {
				t.Errorf("data is there: %v, want %v: %s", has, executed, answer.Body)
			}
		})
	}
}

func set(header http.Header, name, value string) {
	if value != "" {
		header.Set(name, value)
	} else {
		header[name] = nil // net/http sends none of its own
	}
}

// Clients that know HTTP/2 offer it with each request over plain HTTP: Java's, curl --http2.
func TestOfferOfHTTP2IsNoWebSocket(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	answer := server.Post(t, http.Header{
		"Content-Type": {plain}, "Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}, "HTTP2-Settings": {"AAMAAABkAAQAoAAAAAIAAAAA"},
	}, []byte(`{"query":"{server{version}}"}`))
	if answer.Status != http.StatusOK || answer.Code() != "" {
		t.Errorf("status %d: %s", answer.Status, answer.Body)
	}
}

// A client that sends all of its body before it reads learns why it was refused, however it frames the body.
func TestTooLongBodyIsAnswered(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	length := limits.Default().MaxRequestBytes + 4<<20
	for name, head := range map[string]string{
		"length":  fmt.Sprintf("Content-Length: %d\r\n\r\n", length),
		"chunked": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", length),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			message := "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + head +
				strings.Repeat(" ", int(length)) + "\r\n0\r\n\r\n"
			if _, err := io.WriteString(conn, message); err != nil {
				t.Fatalf("the server stopped reading: %v", err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			if response.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("status %d", response.StatusCode)
			}
		})
	}
}

func TestMutationByGETIsImpossible(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	answer := server.Do(t, http.MethodGet, "/graphql?query=mutation%7BacknowledgeMessages(upTo:%22x%22)%7BremovedCount%7D%7D", nil, nil)
	if answer.Status != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("status %d, Allow %q", answer.Status, answer.Header.Get("Allow"))
	}
}

func TestHealthAndPages(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/healthz":                {200, "ok"},
		"/readyz":                 {200, "ready"},
		"/":                       {200, "/playground"},
		"/nothing":                {404, ""},
		"/playground":             {308, ""},
		"/playground/nothing.js":  {404, ""},
		"/playground/assets":      {404, ""},
		"/playground/..%2f..%2fx": {404, ""},
	} {
		answer := server.Do(t, http.MethodGet, path, nil, nil)
		if answer.Status != want.status || !strings.Contains(answer.Body, want.text) {
			t.Errorf("%s: %d %q, want %d %q", path, answer.Status, answer.Body, want.status, want.text)
		}
		for name, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := answer.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got, value)
			}
		}
		if policy := answer.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
			t.Errorf("%s: Content-Security-Policy %q", path, policy)
		}
	}
}

func TestCORS(t *testing.T) {
	server := testserver.Start(t, testserver.Options{
		PublicURLs: []string{"https://chat.example.org/"}, AllowedOrigins: []string{"https://app.example.org"},
	})
	for origin, allowed := range map[string]bool{
		"https://app.example.org":          true,
		"https://chat.example.org":         true,
		"http://app.example.org":           false,
		"https://app.example.org:8443":     false,
		"https://app.example.org.evil.com": false,
		"http://localhost:5173":            false, // not a server for this machine alone
		"null":                             false,
		"":                                 false,
	} {
		preflight := server.Do(t, http.MethodOptions, "/graphql", http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {"POST"},
			"Access-Control-Request-Headers": {"authorization,content-type"},
		}, nil)
		if got := preflight.Header.Get("Access-Control-Allow-Origin") == origin && origin != ""; got != allowed {
			t.Errorf("preflight of %q: allowed %v, want %v (%v)", origin, got, allowed, preflight.Header)
		}
		if allowed && preflight.Header.Get("Access-Control-Allow-Headers") == "" {
			t.Errorf("preflight of %q allows no headers", origin)
		}
		_, response, err := server.TryDial(t, testserver.Modern, http.Header{"Origin": {origin}})
		if origin == "" {
			continue // a client that is no browser
		}
		if (err == nil) != allowed {
			t.Errorf("WebSocket from %q: %v %+v, want allowed %v", origin, err, response, allowed)
		}
	}
	if _, _, err := server.TryDial(t, testserver.Modern, nil); err != nil {
		t.Errorf("WebSocket of a client that is no browser: %v", err)
	}
}

func TestLoopbackOriginsMayCall(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	for origin, allowed := range map[string]bool{
		"http://localhost:5173": true, "http://127.0.0.1:80": false /* not how browsers spell it */, "http://[::1]:3000": true,
		"http://127.0.0.1": true, "http://10.0.0.1": false, "http://localhost.example.org": false,
	} {
		answer := server.Do(t, http.MethodPost, "/graphql",
			http.Header{"Origin": {origin}, "Content-Type": {plain}}, []byte(`{"query":"{server{version}}"}`))
		if got := answer.Header.Get("Access-Control-Allow-Origin") == origin; got != allowed {
			t.Errorf("%s: allowed %v, want %v", origin, got, allowed)
		}
	}
}

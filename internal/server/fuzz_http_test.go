package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/testserver"
)

// Whatever comes to /graphql, by any method, under any header and with any body: the answer has a status that is meant for it and
// is GraphQL's, with codes of the schema and not the one for a defect; nothing panics, and the server goes on.
func FuzzGraphQLOverHTTP(f *testing.F) {
	w := startFuzzed(f, func(l *limits.Limits) { l.PingInterval = 20 * time.Millisecond }) // see checkEvents
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableCompression: true}}
	f.Cleanup(client.CloseIdleConnections)
	for _, body := range fuzzedBodies() {
		f.Add("POST", "Content-Type: application/json\n", []byte(body), byte(asAlice))
	}
	for _, headers := range []string{
		"", "Content-Type: application/json; charset=utf-8\nAccept: application/graphql-response+json", "Content-Type: text/plain\n",
		"Content-Type: application/json\nAccept: text/event-stream", "Content-Type: application/json\nAccept: text/html",
		"Content-Type: application/json\nContent-Encoding: gzip", "Content-Type: application/json\nAccept: */*;q=0.1, text/*;q=2",
		"Content-Type: application/json\nAuthorization: Basic Zm9v", "Content-Type: application/json\nAuthorization: Bearer \nX-Forwarded-For: 198.51.100.1",
		"Content-Type: application/json\nOrigin: https://evil.example\nCookie: a=b", "Content-Type: application/json\nUpgrade: h2c\nConnection: Upgrade",
		"Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\nSec-WebSocket-Protocol: graphql-ws",
		"Origin: http://localhost:1\nAccess-Control-Request-Method: POST\nAccess-Control-Request-Headers: authorization", "Expect: 100-continue",
	} {
		for _, method := range []string{"POST", "GET", "OPTIONS"} {
			f.Add(method, headers, []byte(versionQuery), byte(asNobody))
		}
	}
	events := "Content-Type: application/json\nAccept: text/event-stream\n"
	f.Add("POST", events, []byte(`{"query":"subscription { messageReceived { id } }"}`), byte(asAlice))
	f.Add("POST", events, []byte(`{"query":"subscription { messageReceived(after: \"@cursor\") { id } }"}`), byte(asAlice))
	f.Add("POST", events, []byte(`{"query":"subscription { messageReceived { id } }"}`), byte(asForged))
	f.Add("PROPFIND", "Content-Type: application/json\n", []byte("{}"), byte(asEve))

	f.Fuzz(func(t *testing.T, method, headers string, body []byte, caller byte) {
		request, err := http.NewRequestWithContext(t.Context(), method, w.GraphQL, bytes.NewReader(w.expand(body)))
		header, parseErr := textproto.NewReader(bufio.NewReader(strings.NewReader(headers + "\n\n"))).ReadMIMEHeader()
		if err != nil || parseErr != nil || method == http.MethodConnect {
			return // Nobody can send it by this client.
		}
		request.Header = http.Header(header)
		if method == http.MethodGet && header.Get("Upgrade") != "" { // What comes before the handshake is done is no HTTP any more.
			request.Body, request.ContentLength = http.NoBody, 0
		}
		if token := w.tokens[int(caller)%len(w.tokens)]; token != "" && request.Header.Get("Authorization") == "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := client.Do(request)
		if err != nil {
			if strings.Contains(err.Error(), "net/http: invalid") {
				return
			}
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		checkAnswer(t, request, response)
		w.healthy(t)
	})
}

// fuzzedBodies are those that fuzzing begins with: each operation once, and what is wrong in ways of its own.
func fuzzedBodies() []string {
	bodies := []string{
		versionQuery, viewerQuery, `{}`, `[]`, ``, `null`, `{"query":""}`, `{"query":7}`, `[{"query":"{ server { version } }"}]`, `{"query":"{ server { version } }"} {}`,
		`{"query":"{ nothing }"}`, `{"query":"{ server { version"}`, `{"query":"query A { server { version } } query B { viewer { id } }","operationName":"C"}`,
		`{"query":"subscription { messageReceived { id } }"}`, `{"query":"{ ...F } fragment F on Query { ...F }"}`,
		`{"query":"query($a: Boolean!) { server @include(if: $a) { version } viewer @skip(if: $a) { id } }","variables":{"a":null}}`,
		`{"query":"{ a: server { version } a: viewer { id } __typename @nothing }"}`, `{"query":"{ __schema { types { name fields { name type { name } } } } }"}`,
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`, `{"query":"{ server { version } }","extensions":[]}`,
		`{"query":"query($a: Cursor) { mailbox(first: 1, after: $a) { nodes { id cursor ciphertext } pageInfo { hasNextPage } expiredCount } }","variables":{"a":"@cursor"}}`,
		`{"query":"{ user(id: \"@bob\", sinceVersion: 1) { id listVersion } }"}`, `{"query":"{ exportUser { __typename } }"}`,
		`{"query":"mutation { putLinkMessage(slot: \"AAAAAAAAAAAAAAAAAAAAAA\", step: 0, data: \"AA\") { __typename } }"}`,
		`{"query":"{ linkMessage(slot: \"AAAAAAAAAAAAAAAAAAAAAA\", step: 0) }"}`, `{"query":"mutation { setBlockedUsers(users: [\"@bob\"]) { count } }"}`,
	}
	for query, variables := range map[string]string{
		testserver.SendMessage:   `{"input":@message}`,
		testserver.SendMessages:  `{"input":{"callId":"@id","messages":[@message,@message]}}`,
		testserver.RegisterKey:   `{"input":@register}`,
		testserver.PublishList:   `{"input":{"deviceList":"@list"}}`,
		testserver.UploadPrekeys: `{"input":@prekeys}`,
		testserver.ClaimPrekeys:  `{"userId":"@alice","devices":null}`,
		testserver.Acknowledge:   `{"upTo":"@cursor"}`,
		testserver.SetBlocked:    `{"ids":[]}`,
		testserver.DeleteUser:    `{"input":@deletion}`,
	} {
		quoted, _ := json.Marshal(query) // a string: it never fails
		bodies = append(bodies, `{"query":`+string(quoted)+`,"variables":`+variables+`}`)
	}
	slices.Sort(bodies)
	return bodies
}

// refusedByHTTP are what net/http itself answers, as text or without a body: a header that is wrong or too long, or an expectation
// that nobody fulfils.
var refusedByHTTP = []int{http.StatusBadRequest, http.StatusRequestHeaderFieldsTooLarge, http.StatusExpectationFailed}

var answersOfGraphQL = []int{
	http.StatusOK, http.StatusBadRequest, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
	http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
}

func checkAnswer(t *testing.T, request *http.Request, response *http.Response) {
	t.Helper()
	status := response.StatusCode
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case status == http.StatusSwitchingProtocols && request.Method == http.MethodGet,
		status == http.StatusNoContent && request.Method == http.MethodOptions:
		return
	case slices.Contains(refusedByHTTP, status) && (media == "" || media == "text/plain"):
		return
	case !slices.Contains(answersOfGraphQL, status):
		t.Fatalf("status %d", status)
	case media == "text/event-stream":
		checkEvents(t, response.Body)
		return
	case media != "application/json" && media != "application/graphql-response+json":
		t.Fatalf("status %d, media type %q", status, media)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if request.Method == http.MethodHead {
		return
	}
	if err := declared(text); err != nil {
		t.Fatalf("status %d, answer %s: %v", status, text, err)
	}
}

// checkEvents follows a stream to its end, or to the second comment by which one shows that it lives.
func checkEvents(t *testing.T, body io.Reader) {
	t.Helper()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 16<<20)
	comments, kind := 0, ""
	for lines.Scan() && comments < 2 {
		line := lines.Text()
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case strings.HasPrefix(line, ":"):
			comments++
		case line == "":
		case name == "event" && (value == "next" || value == "complete"):
			kind = value
		case name == "data" && kind == "next":
			if err := declared([]byte(value)); err != nil {
				t.Fatalf("event %s: %v", line, err)
			}
		case name != "data" || value != "":
			t.Fatalf("line %q behind an event %q", line, kind)
		}
	}
	if err := lines.Err(); err != nil && context.Cause(t.Context()) == nil {
		t.Fatal(err)
	}
	if comments < 2 && kind != "complete" {
		t.Fatalf("a stream ends behind an event %q", kind)
	}
}

package server_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/server"
	"github.com/letterlock/letterlock/internal/testserver"
)

// plainJSON is what a client asks with that knows application/json alone.
func plainJSON() http.Header { return http.Header{"Content-Type": {"application/json"}} }

func writeManifest(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const apolloManifest = `{"format":"apollo-persisted-query-manifest","version":1,"operations":[
	{"id":"v1","name":"V","type":"query","body":"query V { server { version } }"},
	{"id":"s1","name":"S","type":"subscription","body":"subscription S { messageReceived { id } }"}]}`

func byID(id string) map[string]any {
	return map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": id}}}
}

func TestPersistedOnly(t *testing.T) {
	s := testserver.Start(t, testserver.Options{PersistedOnly: []string{
		writeManifest(t, apolloManifest), writeManifest(t, `{"operations":[{"operationName":"W","query":"query W { viewer { id } }"}]}`),
	}})
	for body, code := range map[string]string{
		`{"query":"query V { server { version } }"}`:                                                      "",
		`{"query":"query W { viewer { id } }"}`:                                                           "",
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"v1"}}}`:                               "",
		`{"query":"query V { server { version time } }"}`:                                                 "OPERATION_NOT_ALLOWED",
		`{"query":"query V { server { version } } "}`:                                                     "OPERATION_NOT_ALLOWED",
		`{"query":"{ __schema { types { name } } }"}`:                                                     "OPERATION_NOT_ALLOWED",
		`{"query":"{ this is no document"}`:                                                               "OPERATION_NOT_ALLOWED",
		`{"query":"{ server { time } }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"v1"}}}`: "OPERATION_NOT_ALLOWED",
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"v2"}}}`:                               "OPERATION_NOT_ALLOWED",
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":""}}}`:                                 "BAD_INPUT",
		`{"extensions":{"persistedQuery":7}}`:                                                             "BAD_INPUT",
	} {
		answer := s.Post(t, plainJSON(), []byte(body))
		if answer.Code() != code {
			t.Errorf("%s: %s", body, answer.Body)
		}
	}
	socket := s.Open(t, testserver.Modern, "")
	socket.Send("subscribe", "1", byID("v1"))
	if answer := socket.Next(); len(answer.Errors) > 0 {
		t.Errorf("%+v", answer.Errors)
	}
	socket.Expect("complete")
	for id, payload := range map[string]any{"2": byID("v2"), "3": map[string]any{"query": `{ server { time } }`}} {
		socket.Send("subscribe", id, payload)
		if frame := socket.Expect("error"); !strings.Contains(string(frame.Payload), "OPERATION_NOT_ALLOWED") {
			t.Errorf("%s", frame.Payload)
		}
	}
	legacy := s.Open(t, testserver.Legacy, "")
	legacy.Start("1", `{ server { time } }`, nil)
	if frame := legacy.Expect("error"); !strings.Contains(string(frame.Payload), "OPERATION_NOT_ALLOWED") {
		t.Errorf("%s", frame.Payload)
	}
	if _, data, _ := s.Stream(t.Context(), t, "", testserver.Received, nil).Event(); !strings.Contains(data, "OPERATION_NOT_ALLOWED") {
		t.Errorf("event %s", data)
	}
}

// The web client that a server brings is not shut out by a list that was made for others, and needs none.
func TestPersistedOnlyKnowsItsOwnWebClient(t *testing.T) {
	app := fstest.MapFS{
		"index.html":      {Data: []byte("<!doctype html>")},
		"operations.json": {Data: []byte(`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"w1","name":"W","type":"query","body":"query W { viewer { id } }"}]}`)},
	}
	for name, files := range map[string][]string{"alone": {"web"}, "with others": {writeManifest(t, apolloManifest)}} {
		s := testserver.Start(t, testserver.Options{PersistedOnly: files, App: app})
		for body, code := range map[string]string{
			`{"query":"query W { viewer { id } }"}`:                             "",
			`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"w1"}}}`: "",
			`{"query":"query V { server { version } }"}`:                        map[bool]string{true: "OPERATION_NOT_ALLOWED"}[name == "alone"],
			`{"query":"{ server { time } }"}`:                                   "OPERATION_NOT_ALLOWED",
		} {
			if answer := s.Post(t, plainJSON(), []byte(body)); answer.Code() != code {
				t.Errorf("%s: %s: %s", name, body, answer.Body)
			}
		}
	}
	for name, app := range map[string]fs.FS{"no client": nil, "a client that does not say": fstest.MapFS{"index.html": app["index.html"]}} {
		config := server.Config{Addr: "127.0.0.1:0", Limits: limits.Default(), PersistedOnly: []string{"web"}, App: app}
		for what, try := range map[string]func() error{
			"start": func() error { _, err := server.New(t.Context(), config); return err },
			"check": func() error { _, err := server.CheckConfig(config); return err },
		} {
			if err := try(); err == nil || !strings.Contains(err.Error(), "LETTERLOCK_PERSISTED_ONLY") || !strings.Contains(err.Error(), "make build") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}

// Ids are nothing where the operator has no list, and nobody can make them something.
func TestNoOperationIsKeptForItsID(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	query := `{"query":"{ server { version } }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`
	if answer := s.Post(t, plainJSON(), []byte(query)); answer.Code() != "" {
		t.Fatal(answer.Body)
	}
	answer := s.Post(t, plainJSON(), []byte(`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`))
	if answer.Code() != "BAD_INPUT" || !strings.Contains(answer.Body, "`query`") {
		t.Error(answer.Body)
	}
}

func TestManifestsThatAreNone(t *testing.T) {
	for name, content := range map[string]string{
		"text": "query { a }", "another format": `{"format":"x","version":1,"operations":[{"id":"a","body":"{a}"}]}`,
		"another version": `{"format":"apollo-persisted-query-manifest","version":2,"operations":[{"id":"a","body":"{a}"}]}`,
		"nothing":         `{"operations":[]}`, "no body": `{"operations":[{"id":"a"}]}`,
		"two of one id": `{"operations":[{"id":"a","body":"{a}"},{"id":"a","body":"{b}"}]}`,
	} {
		_, err := server.New(t.Context(), server.Config{
			Addr: "127.0.0.1:0", Limits: limits.Default(), PersistedOnly: []string{writeManifest(t, content)},
		})
		if err == nil || !strings.Contains(err.Error(), "LETTERLOCK_PERSISTED_ONLY") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIntrospectionIsSwitchedOff(t *testing.T) {
	s := testserver.Start(t, testserver.Options{NoIntrospection: true})
	for _, query := range []string{
		introspection, `{ __type(name: "Message") { name } }`, `{ a: __schema { description } }`, `{ ... { __schema { description } } }`,
		`query Q { ...F } fragment F on Query { ... on Query { __type(name: "Device") { kind } } }`,
		`mutation { __schema { description } }`,
	} {
		if answer := s.Query(t, "", query, nil); answer.Code() != "GRAPHQL_VALIDATION_FAILED" || strings.Contains(answer.Body, "Message") {
			t.Errorf("%s: %s", query, answer.Body)
		}
	}
	var data struct {
		Server struct {
			Typename string `json:"__typename"`
		}
	}
	s.Query(t, "", `{ server { __typename } }`, nil).Into(t, &data)
	if data.Server.Typename != "ServerInfo" {
		t.Errorf("%+v", data)
	}
	// Nothing that is told of what is wrong tells of what would be right.
	for _, query := range []string{
		`{ servr { version } }`, `{ server { versio } }`, `mutation { sendMesage }`, `query($a: Devic) { server { version } }`,
		`{ user(idd: "x") { id } }`, `{ ... on Devise { id } }`, `{ server @skipp(if: true) { version } }`,
		`mutation { sendMessage(input: { messageI: "x" }) { messageId } }`,
		`mutation { sendMessage(input: { messageId: "x", recipients: [{ userId: "x", listVersion: 1, envelopes: [{ deviceId: "d", kind: BOXX, ciphertext: "" }] }] }) { messageId } }`,
	} {
		answer := s.Query(t, "", query, nil)
		if answer.Code() == "" || strings.Contains(answer.Body, "Did you mean") {
			t.Errorf("%s: %s", query, answer.Body)
		}
	}
	with := testserver.Start(t, testserver.Options{})
	if answer := with.Query(t, "", `{ servr { version } }`, nil); !strings.Contains(answer.Body, "Did you mean") {
		t.Errorf("with introspection there are suggestions: %s", answer.Body)
	}
}

package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/client/internal/api"
)

// answerKinds make what answers are read into: of those with lists and bytes in them, one each.
func answerKinds() []any {
	return []any{
		new(api.FetchUserResponse), new(api.ClaimPrekeysResponse), new(api.MailboxResponse), new(api.SendMessageResponse), new(api.ExportUserResponse),
		new(api.StandingResponse), new(api.LinkMessageResponse),
	}
}

// checkAnswerError fails unless an error is of a class that callers tell apart, no longer than what people read, and with a wait that is
// bounded.
func checkAnswerError(t *testing.T, err error) {
	t.Helper()
	var said *client.ServerError
	if !errors.Is(err, client.ErrResponse) && !errors.As(err, &said) && !client.Unreachable(err) {
		t.Fatalf("an error of no class: %v", err)
	}
	if len(err.Error()) > 2000 {
		t.Fatalf("an error of %d bytes", len(err.Error()))
	}
	if said != nil && (said.RetryAfter < 0 || said.RetryAfter > time.Minute) {
		t.Fatalf("the server has us wait for %v", said.RetryAfter)
	}
}

// checkSame fails unless what was read is written and read again as the same, and no longer than what came.
func checkSame(t *testing.T, read any, input []byte) {
	t.Helper()
	text, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	again := reflect.New(reflect.TypeOf(read).Elem()).Interface()
	if err := json.Unmarshal(text, again); err != nil {
		t.Fatalf("what was read is written as %s, which can't be read: %v", text, err)
	}
	if twice, err := json.Marshal(again); err != nil || !bytes.Equal(twice, text) {
		t.Fatalf("%s comes back as %s", text, twice)
	}
	// Every element of a list takes two bytes of the answer at the least, and is written with the names of its fields; a byte may be
	// written as six.
	if len(text) > 4096+512*len(input) {
		t.Fatalf("%d bytes are read as %d", len(input), len(text))
	}
}

// FuzzReadAnswer has a server answer what it likes: it is one of its answers, or an error that a caller can act on.
func FuzzReadAnswer(f *testing.F) {
	const ours = "application/graphql-response+json; charset=utf-8"
	for kind, body := range []string{
		`{"data":{"user":{"listVersion":2,"deviceLists":[{"statement":"AAEC"}]}}}`,
		`{"data":{"claimPrekeys":{"userId":"u","listVersion":1,"sets":[{"deviceId":"d","signed":"AA","oneTime":null,"kem":"AA"}]}}}`,
		`{"data":{"mailbox":{"nodes":[{"id":"m","cursor":"c","kind":"SESSION","ciphertext":"AA","nonce":null}],"pageInfo":{"hasNextPage":true,"endCursor":"c"}}}}`,
		`{"data":{"sendMessage":{"deliveries":[{"deviceId":"d","status":"STORED"}]}}}`,
		`{"data":{"exportUser":{"userId":"u","deviceLists":[]}}}`,
		`{"errors":[{"message":"no","extensions":{"code":"RATE_LIMITED","stored":"NO","retryAfterMs":9223372036854775807,"serverTime":"2026-01-02T03:04:05Z"}}]}`,
		`{"data":{"linkMessage":"AA=="}}`,
	} {
		f.Add(byte(kind), 200, ours, []byte(body))
	}
	f.Add(byte(0), 502, "text/html", []byte("<html>"))
	f.Add(byte(0), 200, "application/json", []byte("{\"data\":{\"user\":\xff}}"))
	f.Add(byte(0), 200, "application/json", []byte(`{"data":null,"errors":[]}`))
	f.Fuzz(func(t *testing.T, kind byte, status int, contentType string, body []byte) {
		kinds := answerKinds()
		data := kinds[int(kind)%len(kinds)]
		answer := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(body))}
		if err := client.ReadAnswer(answer, data); err != nil {
			checkAnswerError(t, err)
			return
		}
		checkSame(t, data, body)
	})
}

// FuzzReadFrame has a server say what it likes over a socket.
func FuzzReadFrame(f *testing.F) {
	for _, text := range []string{
		`{"id":"1","type":"next","payload":{"data":{"messageReceived":{"id":"m","cursor":"c","messageId":"i","senderUserId":"u","senderDeviceId":"d","kind":"BOX","ciphertext":"AA","nonce":"AA"}}}}`,
		`{"id":"1","type":"error","payload":[{"message":"no","extensions":{"code":"SUPERSEDED","retryAfterMs":-1}}]}`,
		`{"id":"1","type":"error","payload":[]}`, `{"type":"error"}`, `{"type":"complete"}`, `{"type":"ping"}`, `{"type":"next","payload":null}`, `[]`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		envelope, err := client.ReadFrame(text)
		if err != nil {
			if envelope != nil {
				t.Fatal("an error, and an envelope with it")
			}
			checkAnswerError(t, err)
			return
		}
		if envelope != nil {
			checkSame(t, envelope, text)
		}
	})
}

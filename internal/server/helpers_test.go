package server_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/testserver"
)

type message struct {
	ID, Cursor, MessageID, SenderUserID, SenderDeviceID, SentAt, Kind, Ciphertext, Nonce string
	SenderListVersion                                                                    int
}

func decode[T any](t *testing.T, data json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return v
}

// received gives the message of a subscription's event.
func received(t *testing.T, answer *testserver.Answer) message {
	t.Helper()
	if len(answer.Errors) > 0 {
		t.Fatalf("errors: %+v", answer.Errors)
	}
	return decode[struct{ MessageReceived message }](t, answer.Data).MessageReceived
}

// waiting gives how many messages wait for a device, at most 100.
func waiting(t *testing.T, s *testserver.Server, d *testserver.Device) []message {
	t.Helper()
	var data struct{ Mailbox struct{ Nodes []message } }
	s.Query(t, d.Token(s.URL), `{ mailbox { nodes { id cursor messageId senderUserId senderDeviceId senderListVersion sentAt kind ciphertext nonce } } }`, nil).Into(t, &data)
	return data.Mailbox.Nodes
}

// accepted gives the acceptedCount of a device.
func accepted(t *testing.T, s *testserver.Server, d *testserver.Device) int {
	t.Helper()
	var data struct{ Viewer struct{ AcceptedCount int } }
	s.Query(t, d.Token(s.URL), `{ viewer { acceptedCount } }`, nil).Into(t, &data)
	return data.Viewer.AcceptedCount
}

// toJSON is the body of a request.
func toJSON(t *testing.T, query string, variables map[string]any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

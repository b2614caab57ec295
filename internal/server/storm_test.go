package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// After a restart all devices come back in the same moment, as no client of ours does, to a server that opens four sockets at once. All
// get in, what waited comes once, what is sent then comes once, and when they have gone nothing of them is left.
func TestAllComeBackAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		const crowd = 250
		few := func(l *limits.Limits) { l.MaxOpeningSockets = 4 }
		before := testserver.Start(t, testserver.Options{DB: db, PublicURLs: []string{"https://chat.example.org"}, Limits: few})
		alice := before.Register(t).Devices[0]
		devices := make([]*testserver.Device, crowd)
		for i := range devices {
			devices[i] = before.Register(t).Devices[0]
			if i%5 == 0 {
				sendOne(t, before, alice, devices[i])
			}
		}
		if err := before.Stop(); err != nil {
			t.Fatal(err)
		}

		s := testserver.Start(t, testserver.Options{DB: db, PublicURLs: []string{"https://chat.example.org"}, Limits: few})
		waitFor(t, "the server", func() bool { return s.Query(t, "", `{ server { version } }`, nil).Code() == "" })
		idle := runtime.NumGoroutine()
		sockets := make([]*websocket.Conn, crowd)
		var coming sync.WaitGroup
		for i, d := range devices {
			token := d.Token(s.URL)
			coming.Go(func() {
				var err error
				if sockets[i], err = comeBack(t, s, token); err != nil {
					t.Errorf("device %d: %v", i, err)
				}
			})
		}
		coming.Wait()
		if t.Failed() {
			return
		}
		for _, d := range devices {
			sendOne(t, s, alice, d)
		}
		for i, d := range devices {
			want := 1
			if i%5 == 0 {
				want = 2
			}
			got := map[string]bool{}
			for range want {
				got[nextMessage(t, sockets[i])] = true
			}
			if stored := waiting(t, s, d); len(got) != want || len(stored) != want {
				t.Errorf("device %d has received %d and has %d, want %d", i, len(got), len(stored), want)
			}
		}
		for _, conn := range sockets {
			_ = conn.Close()
		}
		waitFor(t, "all sockets to end", func() bool { return s.Inner.Sockets() == 0 })
		waitFor(t, "their goroutines to end", func() bool { return runtime.NumGoroutine() <= idle+20 })
	})
}

func sendOne(t *testing.T, s *testserver.Server, from, to *testserver.Device) {
	t.Helper()
	if answer := s.Send(t, "x", from, to); answer.Code() != "" {
		t.Fatalf("send: %+v", answer.Errors)
	}
}

// comeBack connects a device and subscribes.
func comeBack(t *testing.T, s *testserver.Server, token string) (*websocket.Conn, error) {
	dialer := websocket.Dialer{Subprotocols: []string{testserver.Modern}}
	conn, response, err := dialer.DialContext(t.Context(), s.WebSocket, http.Header{})
	if err != nil {
		return nil, fmt.Errorf("%w: %+v", err, response)
	}
	_ = response.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	for _, message := range []string{
		`{"type":"connection_init","payload":{"Authorization":"Bearer ` + token + `"}}`,
		`{"id":"1","type":"subscribe","payload":{"query":"subscription { messageReceived { messageId } }"}}`,
	} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
			return nil, err
		}
	}
	_, text, err := conn.ReadMessage()
	if err == nil && string(text) != `{"type":"connection_ack"}` {
		err = fmt.Errorf("received %s", text)
	}
	return conn, err
}

// nextMessage gives the id of the next message of a subscription.
func nextMessage(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(15 * time.Second))
	var frame struct {
		Type    string
		Payload struct {
			Data struct{ MessageReceived struct{ MessageID string } }
		}
	}
	_, text, err := conn.ReadMessage()
	if err == nil {
		err = json.Unmarshal(text, &frame)
	}
	if err != nil || frame.Payload.Data.MessageReceived.MessageID == "" {
		t.Fatalf("received %s, %v", text, err)
	}
	return frame.Payload.Data.MessageReceived.MessageID
}

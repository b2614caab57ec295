package socket_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testserver"
)

// Only who has shown a token may make the server keep a long message in memory.
func TestSocketsWithoutTokenSendShortMessages(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice := server.Register(t)
	query := map[string]any{"query": `{ server { version } }`, "variables": map[string]any{"a": strings.Repeat("x", 200_000)}}
	start := map[string]string{testserver.Modern: "subscribe", testserver.Legacy: "start"}
	each(t, func(t *testing.T, protocol string) {
		s := server.Dial(t, protocol)
		s.Send("connection_init", "", map[string]any{"a": strings.Repeat("x", 200_000)})
		wantClose(t, s, socket.CloseTooBig)

		s = server.Open(t, protocol, "")
		s.Send(start[protocol], "1", query)
		wantClose(t, s, socket.CloseTooBig)

		s = server.Open(t, protocol, alice.Devices[0].Token(server.URL))
		s.Send(start[protocol], "1", query)
		if answer := s.Next(); answer.Code() != "" {
			t.Errorf("with a token: %+v", answer)
		}
	})
}

func TestTooManyValuesAreClosed1009(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice := server.Register(t)
	s := server.Open(t, testserver.Modern, alice.Devices[0].Token(server.URL))
	frame := `{"type":"subscribe","id":"1","payload":{"query":"{server{version}}","variables":{"a":[` + strings.Repeat("[],", 200_000) + `1]}}}`
	if err := s.Conn.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		t.Fatal(err)
	}
	wantClose(t, s, socket.CloseTooBig)
}

// Half a character in a close frame makes a client drop the connection without the code.
func TestCloseReasonIsCutBetweenCharacters(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice := server.Register(t)
	s := server.Open(t, testserver.Modern, alice.Devices[0].Token(server.URL))
	id := strings.Repeat("ä", 60)
	s.Start(id, testserver.Received, nil)
	s.Start(id, testserver.Received, nil)
	code, reason := s.Closed()
	if code != socket.CloseDuplicate || !utf8.ValidString(reason) || bytes.Count([]byte(reason), []byte("ä")) < 50 {
		t.Errorf("closed with %d %q", code, reason)
	}
}

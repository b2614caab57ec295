package testserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// patience is how long a test waits for something that must come.
const patience = 10 * time.Second

// The subprotocols.
const (
	Modern = "graphql-transport-ws"
	Legacy = "graphql-ws"
)

// Socket is a raw WebSocket client.
type Socket struct {
	t    testing.TB
	Conn *websocket.Conn
}

// Frame is one message of either subprotocol.
type Frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Dial opens a WebSocket; protocol may be empty.
func (s *Server) Dial(t testing.TB, protocol string) *Socket {
	t.Helper()
	socket, response, err := s.TryDial(t, protocol, nil)
	if err != nil {
		t.Fatalf("dial: %v (%+v)", err, response)
	}
	return socket
}

// TryDial opens a WebSocket with headers and gives what comes of it.
func (s *Server) TryDial(t testing.TB, protocol string, header http.Header) (*Socket, *http.Response, error) {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: patience, TLSClientConfig: s.Trust()}
	if protocol != "" {
		dialer.Subprotocols = []string{protocol}
	}
	conn, response, err := dialer.DialContext(t.Context(), s.WebSocket, header)
	if err != nil {
		return nil, response, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &Socket{t: t, Conn: conn}, response, nil
}

// Open opens a WebSocket and has its token accepted; token may be empty.
func (s *Server) Open(t testing.TB, protocol, token string) *Socket {
	t.Helper()
	socket := s.Dial(t, protocol)
	socket.Init(token)
	socket.Expect("connection_ack")
	return socket
}

// Init sends connection_init.
func (s *Socket) Init(token string) {
	s.t.Helper()
	payload := map[string]any{}
	if token != "" {
		payload["Authorization"] = "Bearer " + token
	}
	s.Send("connection_init", "", payload)
}

// Send sends a message.
func (s *Socket) Send(kind, id string, payload any) {
	s.t.Helper()
	message := map[string]any{"type": kind}
	if id != "" {
		message["id"] = id
	}
	if payload != nil {
		message["payload"] = payload
	}
	if err := s.Conn.WriteJSON(message); err != nil {
		s.t.Fatalf("send %s: %v", kind, err)
	}
}

// Start starts an operation, in the words of the socket's subprotocol.
func (s *Socket) Start(id, query string, variables map[string]any) {
	s.t.Helper()
	kind := "subscribe"
	if s.Conn.Subprotocol() == Legacy {
		kind = "start"
	}
	s.Send(kind, id, map[string]any{"query": query, "variables": variables})
}

// Receive gives the next message but those that only show life.
func (s *Socket) Receive() Frame {
	s.t.Helper()
	for {
		_ = s.Conn.SetReadDeadline(time.Now().Add(patience))
		var m Frame
		if err := s.Conn.ReadJSON(&m); err != nil {
			s.t.Fatalf("receive: %v", err)
		}
		if m.Type != "ka" && m.Type != "ping" {
			return m
		}
	}
}

// Expect gives the next message, which must have this type.
func (s *Socket) Expect(kind string) Frame {
	s.t.Helper()
	m := s.Receive()
	if m.Type != kind {
		s.t.Fatalf("received %s %s, want %s", m.Type, m.Payload, kind)
	}
	return m
}

// Next gives the answer in the next message, which must carry one.
func (s *Socket) Next() *Answer {
	s.t.Helper()
	kind := "next"
	if s.Conn.Subprotocol() == Legacy {
		kind = "data"
	}
	answer := &Answer{}
	if err := json.Unmarshal(s.Expect(kind).Payload, answer); err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// Closed waits for the close frame, passing by everything before it, and gives its code and reason.
func (s *Socket) Closed() (int, string) {
	s.t.Helper()
	for {
		_ = s.Conn.SetReadDeadline(time.Now().Add(patience))
		_, _, err := s.Conn.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Code, closed.Text
		}
		if err != nil {
			s.t.Fatalf("the socket ended without a close frame: %v", err)
		}
	}
}

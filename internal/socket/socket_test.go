package socket_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testserver"
)

var protocols = []string{testserver.Modern, testserver.Legacy}

func each(t *testing.T, test func(t *testing.T, protocol string)) {
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) { test(t, protocol) })
	}
}

func wantClose(t *testing.T, s *testserver.Socket, code int) {
	t.Helper()
	if got, reason := s.Closed(); got != code {
		t.Fatalf("closed with %d %q, want %d", got, reason, code)
	}
}

func TestQueryOverSocket(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	each(t, func(t *testing.T, protocol string) {
		s := server.Open(t, protocol, "")
		s.Start("1", `{ server { version } viewer { id } }`, nil)
		if got := string(s.Next().Data); got != `{"server":{"version":"test"},"viewer":null}` {
			t.Errorf("data %s", got)
		}
		if m := s.Expect("complete"); m.ID != "1" {
			t.Errorf("completed %q", m.ID)
		}
	})
}

func TestNoInitIsClosed4408(t *testing.T) {
	server := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.InitTimeout = 50 * time.Millisecond }})
	each(t, func(t *testing.T, protocol string) {
		wantClose(t, server.Dial(t, protocol), socket.CloseInitTimeout)
	})
	t.Run("pings do not put it off", func(t *testing.T) {
		s := server.Dial(t, testserver.Modern)
		s.Send("ping", "", nil)
		s.Expect("pong")
		if err := s.Conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		wantClose(t, s, socket.CloseInitTimeout)
	})
}

func TestRefusedTokenIsClosed4403(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	stranger := testserver.NewPerson(t).Devices[0]
	payloads := map[string]any{
		"of nobody":       map[string]any{"Authorization": "Bearer " + stranger.Token(server.URL)},
		"no token at all": map[string]any{"Authorization": "Bearer nonsense"},
		"no bearer":       map[string]any{"Authorization": "Basic Zm9v"},
		"no string":       map[string]any{"authorization": 7},
	}
	each(t, func(t *testing.T, protocol string) {
		for name, payload := range payloads {
			t.Run(name, func(t *testing.T) {
				s := server.Dial(t, protocol)
				s.Send("connection_init", "", payload)
				code, reason := s.Closed()
				if code != socket.CloseForbidden || reason == "" {
					t.Errorf("closed with %d %q, want 4403 and a reason", code, reason)
				}
			})
		}
	})
}

func TestWhatIsNotTheProtocolIsClosed(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	start := map[string]string{testserver.Modern: "subscribe", testserver.Legacy: "start"}
	cases := []struct {
		name   string
		inited bool
		frame  string
		code   int
	}{
		{"no JSON", false, `{`, 4400},
		{"an array", false, `[]`, 4400},
		{"unknown type", true, `{"type":"hello"}`, 4400},
		{"a server's type", true, `{"type":"connection_ack"}`, 4400},
		{"init payload", false, `{"type":"connection_init","payload":"x"}`, 4400},
		{"second init", true, `{"type":"connection_init"}`, 4429},
		{"start before init", false, `{"type":"START","id":"1","payload":{"query":"{server{version}}"}}`, 4401},
		{"no id", true, `{"type":"START","payload":{"query":"{server{version}}"}}`, 4400},
		{"no payload", true, `{"type":"START","id":"1"}`, 4400},
		{"no query", true, `{"type":"START","id":"1","payload":{"variables":{}}}`, 4400},
		{"variables", true, `{"type":"START","id":"1","payload":{"query":"{server{version}}","variables":[]}}`, 4400},
	}
	each(t, func(t *testing.T, protocol string) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				s := server.Dial(t, protocol)
				if c.inited {
					s.Init("")
					s.Expect("connection_ack")
				}
				frame := strings.Replace(c.frame, "START", start[protocol], 1)
				if err := s.Conn.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
					t.Fatal(err)
				}
				wantClose(t, s, c.code)
			})
		}
	})
}

func TestBinaryFrameIsClosed1003(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	each(t, func(t *testing.T, protocol string) {
		for _, inited := range []bool{false, true} {
			s := server.Dial(t, protocol)
			if inited {
				s.Init("")
				s.Expect("connection_ack")
			}
			if err := s.Conn.WriteMessage(websocket.BinaryMessage, []byte(`{"type":"connection_init"}`)); err != nil {
				t.Fatal(err)
			}
			wantClose(t, s, socket.CloseUnsupported)
		}
	})
}

// Browsers report a close only when the server has hung up, so it must not wait once both close frames have passed.
func TestServerHangsUpWhenTheCloseIsAnswered(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	each(t, func(t *testing.T, protocol string) {
		s := server.Dial(t, protocol)
		s.Init("")
		s.Expect("connection_ack")
		if err := s.Conn.WriteMessage(websocket.BinaryMessage, []byte("x")); err != nil {
			t.Fatal(err)
		}
		wantClose(t, s, socket.CloseUnsupported) // which answers the close frame
		network := s.Conn.NetConn()
		_ = network.SetReadDeadline(time.Now().Add(1500 * time.Millisecond)) // less than the server waits for an answer
		if n, err := network.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("after both close frames: %d bytes, %v", n, err)
		}
	})
}

func TestOversizedMessageIsClosed1009(t *testing.T) {
	server := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.MaxRequestBytes = 64 << 10 }})
	each(t, func(t *testing.T, protocol string) {
		s := server.Open(t, protocol, "")
		// More than what lies in buffers: the server closes while the client still sends.
		go func() { _ = s.Conn.WriteMessage(websocket.TextMessage, make([]byte, 8<<20)) }()
		wantClose(t, s, socket.CloseTooBig)
	})
}

func TestNoSubprotocolIsClosed4406(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	for _, protocol := range []string{"", "mqtt"} {
		wantClose(t, server.Dial(t, protocol), socket.CloseSubprotocol)
	}
}

func TestForeignOriginIs403(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	for _, origin := range []string{"https://evil.example", "null", "http://localhost.evil.example", "file://"} {
		_, response, err := server.TryDial(t, testserver.Modern, http.Header{"Origin": {origin}})
		if err == nil || response == nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("origin %s: %v %v, want 403", origin, response, err)
		}
	}
	for _, origin := range []string{"http://localhost:5173", "http://127.0.0.1", "http://[::1]:99", "https://app.localhost"} {
		if _, _, err := server.TryDial(t, testserver.Modern, http.Header{"Origin": {origin}}); err != nil {
			t.Errorf("origin %s: %v", origin, err)
		}
	}
}

func TestDeadPeerIsFoundByPings(t *testing.T) {
	server := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.PingInterval = 200 * time.Millisecond }})
	each(t, func(t *testing.T, protocol string) {
		s := server.Open(t, protocol, "")
		pinged := make(chan struct{}, 100)
		s.Conn.SetPingHandler(func(string) error { // no pong
			pinged <- struct{}{}
			return nil
		})
		wantClose(t, s, socket.CloseGone)
		if len(pinged) == 0 {
			t.Error("never pinged")
		}
	})
	t.Run("a live one stays", func(t *testing.T) {
		s := server.Open(t, testserver.Modern, "")
		pinged := make(chan struct{}, 100)
		answer := s.Conn.PingHandler()
		s.Conn.SetPingHandler(func(data string) error {
			pinged <- struct{}{}
			return answer(data)
		})
		go func() {
			for range 10 { // four times as long as a dead one lives
				<-pinged
			}
			s.Start("1", `{ server { version } }`, nil)
		}()
		s.Next()
	})
}

func TestOperationIDInUseIsClosed4409(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice := server.Register(t)
	each(t, func(t *testing.T, protocol string) {
		s := server.Open(t, protocol, alice.Devices[0].Token(server.URL))
		s.Start("1", testserver.Received, nil)
		s.Start("1", `{ server { version } }`, nil)
		wantClose(t, s, socket.CloseDuplicate)
	})
}

// A client may use an id again as soon as it has completed the operation: what the old one still says must not be taken for
// the new one's.
func TestOperationIDMayBeUsedAgain(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice := server.Register(t)
	stop := map[string]string{testserver.Modern: "complete", testserver.Legacy: "stop"}
	each(t, func(t *testing.T, protocol string) {
		s := server.Open(t, protocol, alice.Devices[0].Token(server.URL))
		for range 50 {
			s.Start("1", testserver.Received, nil)
			s.Send(stop[protocol], "1", nil)
		}
		s.Start("1", `{ server { version } }`, nil)
		if answer := s.Next(); len(answer.Errors) > 0 || !strings.Contains(string(answer.Data), "version") {
			t.Errorf("answer %+v", answer)
		}
		s.Expect("complete")
	})
}

func TestOperationsAtOnceAreBounded(t *testing.T) {
	server := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.MaxOperationsPerSocket = 1 }})
	alice := server.Register(t)
	each(t, func(t *testing.T, protocol string) {
		s := server.Open(t, protocol, alice.Devices[0].Token(server.URL))
		s.Start("1", testserver.Received, nil)
		s.Start("2", `{ server { version } }`, nil)
		if m := s.Expect("error"); m.ID != "2" || !strings.Contains(string(m.Payload), `"OVERLOADED"`) {
			t.Errorf("%+v %s", m, m.Payload)
		}
	})
}

func TestSocketsAreBounded(t *testing.T) {
	server := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.MaxSockets = 1 }})
	server.Open(t, testserver.Modern, "")
	_, response, err := server.TryDial(t, testserver.Modern, nil)
	if err == nil || response == nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("%v %+v, want 503 with Retry-After", err, response)
	}
}

func TestStopIsClosed1012(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice := server.Register(t)
	var open []*testserver.Socket
	for _, protocol := range protocols {
		idle := server.Open(t, protocol, "")
		live := server.Open(t, protocol, alice.Devices[0].Token(server.URL))
		live.Start("1", `{ server { version } }`, nil)
		live.Next()
		live.Expect("complete")
		open = append(open, idle, live)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop() }()
	for _, s := range open {
		wantClose(t, s, socket.CloseRestart)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestGoneClientLeavesNothingBehind(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice := server.Register(t)
	each(t, func(t *testing.T, protocol string) {
		s := server.Open(t, protocol, alice.Devices[0].Token(server.URL))
		s.Start("1", testserver.Received, nil)
		_ = s.Conn.NetConn().Close()
		waitFor(t, "the socket to be forgotten", func() bool { return server.Inner.Sockets() == 0 })
	})
}

// A client that takes nothing costs what lies in the network's buffers, and not for ever.
func TestClientThatTakesNothingIsCutOff(t *testing.T) {
	server := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.WriteTimeout = 200 * time.Millisecond }})
	d := server.Register(t).Devices[0]
	s := server.Open(t, testserver.Modern, d.Token(server.URL))
	s.Start("1", testserver.Received, nil)
	text := strings.Repeat("x", 60_000)
	waitFor(t, "the socket to be cut off", func() bool {
		server.Send(t, text, d, d).Into(t, &struct{}{}) // never waits for the reader
		return server.Inner.Sockets() == 0
	})
}

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

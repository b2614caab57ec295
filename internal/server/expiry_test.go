package server_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testserver"
)

// timedServer is a server with a clock of its own.
func timedServer(t *testing.T, set func(*limits.Limits)) (*testserver.Server, *clock) {
	t.Helper()
	c := &clock{now: time.Now()}
	return testserver.Start(t, testserver.Options{Now: c.Now, Limits: set}), c
}

// tokenFor makes a token that is good for so long still.
func tokenFor(s *testserver.Server, now *clock, d *testserver.Device, left time.Duration) string {
	return d.TokenAt(s.URL, now.Now().Add(left-9*time.Minute))
}

func wantExpired(t *testing.T, s *testserver.Socket) {
	t.Helper()
	if code, reason := s.Closed(); code != socket.CloseForbidden || !strings.Contains(reason, "Connect again with a new one") {
		t.Errorf("closed with %d %q, want 4403 and what to do", code, reason)
	}
}

// Who has got hold of a token hears nothing on any transport once it has ended, though they listened before. What came in
// between waits for the device.
func TestNothingIsDeliveredAfterTheTokenHasEnded(t *testing.T) {
	s, now := timedServer(t, nil)
	alice := s.Register(t).Devices[0]
	for _, protocol := range []string{testserver.Modern, testserver.Legacy} {
		bob := s.Register(t).Devices[0]
		thief := s.Open(t, protocol, tokenFor(s, now, bob, 5*time.Second))
		thief.Start("1", testserver.Received, nil)
		s.Send(t, "in time", alice, bob).Into(t, &struct{}{})
		received(t, thief.Next())
		now.forward(5 * time.Second)
		s.Send(t, "too late", alice, bob).Into(t, &struct{}{})
		if code, reason := closedNext(t, thief); code != socket.CloseForbidden || !strings.Contains(reason, "expired") {
			t.Errorf("%s: %d %q", protocol, code, reason)
		}
		if n := len(waiting(t, s, bob)); n != 2 {
			t.Errorf("%s: %d messages wait", protocol, n)
		}
	}
	bob := s.Register(t).Devices[0]
	thief := s.Stream(t.Context(), t, tokenFor(s, now, bob, 5*time.Second), testserver.Received, nil)
	s.Send(t, "in time", alice, bob).Into(t, &struct{}{})
	received(t, thief.Next())
	now.forward(5 * time.Second)
	s.Send(t, "too late", alice, bob).Into(t, &struct{}{})
	// An orderly end would tell a client that there is no more to come.
	if kind, data, err := thief.Event(); err == nil {
		t.Errorf("the stream went on with %q %s", kind, data)
	}
}

// closedNext waits for the close frame, before which nothing may come but signs of life.
func closedNext(t *testing.T, s *testserver.Socket) (int, string) {
	t.Helper()
	for {
		_ = s.Conn.SetReadDeadline(time.Now().Add(15 * time.Second))
		_, text, err := s.Conn.ReadMessage()
		if err != nil {
			return closeOf(err)
		}
		if string(text) != `{"type":"ka"}` {
			t.Fatalf("received %s", text)
		}
	}
}

// Nothing is done for who asks on a socket whose token has ended.
func TestNothingIsDoneAfterTheTokenHasEnded(t *testing.T) {
	for _, protocol := range []string{testserver.Modern, testserver.Legacy} {
		t.Run(protocol, func(t *testing.T) {
			s, now := timedServer(t, nil)
			alice, bob := s.Register(t).Devices[0], s.Register(t).Devices[0]
			s.Send(t, "first", alice, bob).Into(t, &struct{}{})
			stored := waiting(t, s, bob)[0]
			token := tokenFor(s, now, bob, 5*time.Second)
			for name, variables := range map[string]map[string]any{
				testserver.SendMessage: {"input": testserver.Message(t, "as Bob", bob, alice)},
				testserver.Acknowledge: {"upTo": stored.Cursor},
				testserver.Received:    nil,
			} {
				thief := s.Open(t, protocol, token)
				now.forward(5 * time.Second)
				thief.Start("1", name, variables)
				if code, reason := closedNext(t, thief); code != socket.CloseForbidden {
					t.Errorf("%s: %d %q", name, code, reason)
				}
				now.forward(-5 * time.Second)
			}
			if n, m := len(waiting(t, s, alice)), len(waiting(t, s, bob)); n != 0 || m != 1 {
				t.Errorf("%d messages wait for Alice, %d for Bob", n, m)
			}
		})
	}
}

// A socket or stream on which nothing happens ends by itself, when it is pinged.
func TestIdleConnectionsEndWithTheirToken(t *testing.T) {
	s, now := timedServer(t, func(l *limits.Limits) { l.PingInterval = 20 * time.Millisecond })
	d := s.Register(t).Devices[0]
	modern := s.Open(t, testserver.Modern, tokenFor(s, now, d, 5*time.Second))
	legacy := s.Open(t, testserver.Legacy, tokenFor(s, now, d, 5*time.Second))
	events := s.Stream(t.Context(), t, tokenFor(s, now, d, 5*time.Second), testserver.Received, nil)
	nobody := s.Open(t, testserver.Modern, "") // What needs no token has no end.
	events.Comment()
	now.forward(5 * time.Second)
	wantExpired(t, modern)
	wantExpired(t, legacy)
	if kind, data, err := events.Event(); err == nil {
		t.Errorf("the stream went on with %q %s", kind, data)
	}
	nobody.Start("1", `{ server { version } }`, nil)
	nobody.Next()
}

// A server whose clock is put back gives old tokens no more time than new ones have.
func TestClockThatIsPutBackEndsSockets(t *testing.T) {
	s, now := timedServer(t, nil)
	d := s.Register(t).Devices[0]
	open := s.Open(t, testserver.Modern, tokenFor(s, now, d, 9*time.Minute))
	now.forward(-time.Minute)
	open.Start("1", `{ viewer { id } }`, nil)
	open.Next()
	now.forward(-time.Second)
	open.Start("2", `{ viewer { id } }`, nil)
	wantExpired(t, open)
}

// renew sends a ping with a token in it.
func renew(s *testserver.Socket, authorization any) {
	s.Send("ping", "", map[string]any{"Authorization": authorization})
}

func wantRenewed(t *testing.T, s *testserver.Socket, want string) {
	t.Helper()
	if payload := string(s.Expect("pong").Payload); payload != `{"renewed":`+want+`}` {
		t.Fatalf("pong %s", payload)
	}
}

// With a new token on a ping a subscription goes on as if nothing had been, for as long as that token holds and no longer.
func TestRenewalKeepsASocket(t *testing.T) {
	s, now := timedServer(t, nil)
	alice, bob := s.Register(t).Devices[0], s.Register(t).Devices[0]
	open := s.Open(t, testserver.Modern, tokenFor(s, now, bob, 5*time.Second))
	open.Start("1", testserver.Received, nil)
	var sent []string
	for range 5 {
		input := testserver.Message(t, "go on", alice, bob)
		answer := s.Query(t, tokenFor(s, now, alice, time.Minute), testserver.SendMessage, map[string]any{"input": input})
		answer.Into(t, &struct{}{})
		sent = append(sent, input["messageId"].(string))
		if m := received(t, open.Next()); m.MessageID != sent[len(sent)-1] {
			t.Fatalf("received %s, want %s", m.MessageID, sent)
		}
		renew(open, "Bearer "+tokenFor(s, now, bob, 2*time.Minute))
		wantRenewed(t, open, "true")
		now.forward(119 * time.Second)
	}
	now.forward(time.Second)
	open.Start("2", `{ viewer { id } }`, nil)
	wantExpired(t, open)
}

// What is not a good token of the socket's device ends the socket, whatever time it had left.
func TestRenewalRefuses(t *testing.T) {
	s, now := timedServer(t, nil)
	alice, bob := s.Register(t), s.Register(t).Devices[0]
	first, tablet := alice.Devices[0], alice.NewDevice()
	s.Publish(t, alice, first, tablet).Into(t, &struct{}{})
	good := tokenFor(s, now, first, time.Minute)
	for name, offered := range map[string]any{
		"another user's":          "Bearer " + tokenFor(s, now, bob, time.Minute),
		"another device's":        "Bearer " + tokenFor(s, now, tablet, time.Minute),
		"for another server":      "Bearer " + first.TokenAt("https://elsewhere.example", now.Now()),
		"has ended":               "Bearer " + tokenFor(s, now, first, 0),
		"ends too late":           "Bearer " + tokenFor(s, now, first, 11*time.Minute),
		"of an unregistered user": "Bearer " + tokenFor(s, now, testserver.NewPerson(t).Devices[0], time.Minute),
		"changed":                 "Bearer " + good[:len(good)-4] + "AAAA",
		"garbage":                 "Bearer garbage",
		"without Bearer":          good,
		"no text":                 7,
		"a list":                  []string{"Bearer " + good},
	} {
		open := s.Open(t, testserver.Modern, good)
		renew(open, offered)
		if code, reason := closedNext(t, open); code != socket.CloseForbidden || reason == "" {
			t.Errorf("%s: %d %q", name, code, reason)
		}
	}
	nobody := s.Open(t, testserver.Modern, "")
	renew(nobody, "Bearer "+good)
	if code, reason := closedNext(t, nobody); code != socket.CloseForbidden || !strings.Contains(reason, "without a token") {
		t.Errorf("a socket without a token: %d %q", code, reason)
	}
	late := s.Open(t, testserver.Modern, good)
	now.forward(time.Minute)
	renew(late, "Bearer "+tokenFor(s, now, first, time.Minute))
	wantExpired(t, late)
}

// A device that was removed gets nowhere with a new token: on the node that knows its sockets are gone, on another they end at the
// latest when they are looked at.
func TestRenewalOfARemovedDevice(t *testing.T) {
	s, now := timedServer(t, nil)
	alice := s.Register(t)
	first, tablet := alice.Devices[0], alice.NewDevice()
	s.Publish(t, alice, first, tablet).Into(t, &struct{}{})
	open := s.Open(t, testserver.Modern, tokenFor(s, now, tablet, time.Minute))
	s.Publish(t, alice, first).Into(t, &struct{}{})
	renew(open, "Bearer "+tokenFor(s, now, tablet, time.Minute))
	if code, reason := closedNext(t, open); code != socket.CloseForbidden {
		t.Errorf("%d %q", code, reason)
	}
}

// A ping without a token is answered as ever, and so is one before connection_init, which renews nothing.
func TestPingsWithoutATokenRenewNothing(t *testing.T) {
	s, now := timedServer(t, nil)
	d := s.Register(t).Devices[0]
	open := s.Dial(t, testserver.Modern)
	renew(open, "Bearer "+tokenFor(s, now, d, time.Minute))
	if m := open.Expect("pong"); m.Payload != nil {
		t.Errorf("pong %s", m.Payload)
	}
	open.Init(tokenFor(s, now, d, 5*time.Second))
	open.Expect("connection_ack")
	for _, payload := range []any{
		map[string]any{}, map[string]any{"Authorization": ""}, map[string]any{"Authorization": nil}, map[string]any{"token": "x"},
		[]any{"Authorization"}, "Authorization", 7,
	} {
		open.Send("ping", "", payload)
		if m := open.Expect("pong"); string(m.Payload) != inJSON(t, payload) {
			t.Errorf("pong %s for %v", m.Payload, payload)
		}
	}
	now.forward(5 * time.Second)
	open.Send("ping", "", nil)
	wantExpired(t, open)
}

// Who renews again and again is limited like who asks again and again. The socket stays as it was.
func TestRenewalsAreLimited(t *testing.T) {
	s, now := timedServer(t, func(l *limits.Limits) { l.DeviceOperationsPerMinute = 30 })
	d := s.Register(t).Devices[0]
	open := s.Open(t, testserver.Modern, tokenFor(s, now, d, 5*time.Second))
	refused := false
	for range 40 {
		renew(open, "Bearer "+tokenFor(s, now, d, 10*time.Second))
		payload := string(open.Expect("pong").Payload)
		refused = refused || payload == `{"renewed":false}`
		if refused && payload != `{"renewed":false}` {
			t.Fatalf("pong %s after the limit was met", payload)
		}
	}
	if !refused {
		t.Fatal("there is no limit")
	}
	now.forward(9 * time.Second)
	open.Start("1", `{ server { version } }`, nil)
	open.Next()
}

func closeOf(err error) (int, string) {
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		return closed.Code, closed.Text
	}
	return 0, err.Error()
}

func inJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

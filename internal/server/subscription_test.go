package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testcert"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// listener is a live subscription, on whatever transport.
type listener struct {
	next func() *testserver.Answer
	end  func()
}

// transports are the ways to listen.
var transports = map[string]func(t *testing.T, s *testserver.Server, token string, after any) listener{
	testserver.Modern: func(t *testing.T, s *testserver.Server, token string, after any) listener {
		return overSocket(t, s, testserver.Modern, token, after)
	},
	testserver.Legacy: func(t *testing.T, s *testserver.Server, token string, after any) listener {
		return overSocket(t, s, testserver.Legacy, token, after)
	},
	"server-sent events": func(t *testing.T, s *testserver.Server, token string, after any) listener {
		t.Helper()
		events := s.Stream(t.Context(), t, token, testserver.Received, map[string]any{"after": after})
		return listener{next: events.Next, end: func() {}}
	},
}

func overSocket(t *testing.T, s *testserver.Server, protocol, token string, after any) listener {
	t.Helper()
	socket := s.Open(t, protocol, token)
	socket.Start("1", testserver.Received, map[string]any{"after": after})
	return listener{next: socket.Next, end: func() { _ = socket.Conn.Close() }}
}

func TestDeliversLiveAndReplays(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db})
		for name, listen := range transports {
			t.Run(name, func(t *testing.T) {
				alice, bob := s.Register(t), s.Register(t)
				a, b := alice.Devices[0], bob.Devices[0]
				sent := func(n int) (ids []string) {
					for i := range n {
						input := testserver.Message(t, fmt.Sprint(i), a, b)
						s.Query(t, a.Token(s.URL), testserver.SendMessage, map[string]any{"input": input}).Into(t, &struct{}{})
						ids = append(ids, fmt.Sprint(input["messageId"]))
					}
					return ids
				}
				stored := sent(3)
				l := listen(t, s, b.Token(s.URL), nil)
				receiveAll(t, l, stored, a)
				receiveAll(t, l, sent(5), a)
				l.end()

				all := waiting(t, s, b)
				if len(all) != 8 {
					t.Fatalf("%d messages wait, want 8", len(all))
				}
				// From each cursor what is behind it, and nothing else.
				l = listen(t, s, b.Token(s.URL), all[4].Cursor)
				for i := 5; i < 8; i++ {
					if m := received(t, l.next()); m != all[i] {
						t.Errorf("from cursor 4: %+v, want %+v", m, all[i])
					}
				}
				l.end()
				var done struct {
					AcknowledgeMessages struct {
						AcknowledgedUpTo string
						RemovedCount     int
					}
				}
				s.Query(t, b.Token(s.URL), testserver.Acknowledge, map[string]any{"upTo": all[6].Cursor}).Into(t, &done)
				if done.AcknowledgeMessages.RemovedCount != 7 || done.AcknowledgeMessages.AcknowledgedUpTo != all[6].Cursor {
					t.Errorf("acknowledged %+v", done)
				}
				l = listen(t, s, b.Token(s.URL), nil)
				if m := received(t, l.next()); m != all[7] {
					t.Errorf("after the acknowledgement: %+v, want %+v", m, all[7])
				}
			})
		}
	})
}

// receiveAll receives these messages in order, and checks all that is known of them.
func receiveAll(t *testing.T, l listener, ids []string, from *testserver.Device) {
	t.Helper()
	for _, id := range ids {
		m := received(t, l.next())
		if m.MessageID != id || m.SenderDeviceID != from.ID() || m.SenderUserID != from.Owner.ID.String() ||
			m.SenderListVersion != 1 || m.Kind != "BOX" || m.Nonce == "" || m.ID == "" || m.Cursor == "" {
			t.Fatalf("message %+v, want %s", m, id)
		}
		if at, err := time.Parse("2006-01-02T15:04:05.000000Z", m.SentAt); err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("sentAt %q: %v", m.SentAt, err)
		}
	}
}

func TestNewerSubscriptionEndsTheOlder(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	for name, listen := range transports {
		t.Run(name, func(t *testing.T) {
			d := s.Register(t).Devices[0]
			s.Send(t, "to self", d, d).Into(t, &struct{}{}) // what arrives shows that a listener listens
			old := s.Open(t, testserver.Modern, d.Token(s.URL))
			old.Start("1", testserver.Received, nil)
			old.Next()
			l := listen(t, s, d.Token(s.URL), nil)
			received(t, l.next())
			m := old.Expect("error")
			errors := decode[[]testserver.Error](t, m.Payload)
			if len(errors) != 1 || errors[0].Extensions["code"] != "SUPERSEDED" {
				t.Errorf("%s", m.Payload)
			}
			// The socket itself lives on.
			old.Start("2", `{ server { version } }`, nil)
			old.Next()
		})
	}
}

func TestSupersededOnEventStreamAndLegacy(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	d := s.Register(t).Devices[0]
	s.Send(t, "to self", d, d).Into(t, &struct{}{})

	events := s.Stream(t.Context(), t, d.Token(s.URL), testserver.Received, nil)
	events.Next()
	legacy := s.Open(t, testserver.Legacy, d.Token(s.URL))
	legacy.Start("1", testserver.Received, nil)
	legacy.Next()
	if code := events.Next().Code(); code != "SUPERSEDED" {
		t.Errorf("the event stream ended with %q", code)
	}
	if kind, _, err := events.Event(); kind != "complete" || err != nil {
		t.Errorf("then came %q, %v", kind, err)
	}
	s.Stream(t.Context(), t, d.Token(s.URL), testserver.Received, nil)
	if m := legacy.Expect("error"); m.ID != "1" {
		t.Errorf("%+v", m)
	}
}

func TestRemovedDeviceIsCutOff(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		fast := func(l *limits.Limits) { l.LookAgain = 20 * time.Millisecond }
		here := testserver.Start(t, testserver.Options{DB: db, Limits: fast, PublicURLs: []string{"https://chat.example.org"}})
		there := testserver.Start(t, testserver.Options{DB: testdb.Reopen(t, db), Limits: fast, PublicURLs: []string{"https://chat.example.org"}})
		alice := here.Register(t)
		first, tablet := alice.Devices[0], alice.NewDevice()
		if answer := here.Publish(t, alice, first, tablet); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
		here.Send(t, "to the tablet", first, tablet).Into(t, &struct{}{})
		token := tablet.Token(here.URL)

		live := there.Open(t, testserver.Modern, token) // on the node that does not know
		live.Start("1", testserver.Received, nil)
		live.Next()
		idle := here.Open(t, testserver.Legacy, token) // no subscription
		idleThere := there.Open(t, testserver.Modern, token)
		answered := here.Open(t, testserver.Modern, first.Token(here.URL))

		if answer := here.Publish(t, alice, first); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
		for name, s := range map[string]*testserver.Socket{"elsewhere, subscribed": live, "here, idle": idle, "elsewhere, idle": idleThere} {
			if code, reason := s.Closed(); code != socket.CloseForbidden {
				t.Errorf("%s: closed with %d %q, want 4403", name, code, reason)
			}
		}
		wrong(t, here.Query(t, token, `{ viewer { id } }`, nil), "DEVICE_REMOVED", "Link it again")
		wrong(t, here.Query(t, token, testserver.SendMessage, map[string]any{"input": testserver.Message(t, "x", tablet, first)}), "DEVICE_REMOVED", "")
		s := here.Dial(t, testserver.Modern)
		s.Init(token)
		if code, _ := s.Closed(); code != socket.CloseForbidden {
			t.Errorf("a new socket is closed with %d, want 4403", code)
		}
		waitFor(t, "the other node to notice", func() bool {
			return there.Query(t, token, `{ viewer { id } }`, nil).Code() == "DEVICE_REMOVED"
		})
		answered.Start("1", `{ viewer { id } }`, nil)
		if answer := answered.Next(); answer.Code() != "" {
			t.Errorf("the device that stays: %+v", answer)
		}
	})
}

func TestEventStreamShowsLifeAndOutlivesTimeouts(t *testing.T) {
	s := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) {
		l.PingInterval = 20 * time.Millisecond
		l.RequestTimeout = time.Second
		l.WriteTimeout = time.Second
	}})
	d := s.Register(t).Devices[0]
	events := s.Stream(t.Context(), t, d.Token(s.URL), testserver.Received, nil)
	if got := events.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("media type %q", got)
	}
	for start := time.Now(); time.Since(start) < 2500*time.Millisecond; {
		if text := events.Comment(); text != "ping" {
			t.Fatalf("comment %q", text)
		}
	}
	s.Send(t, "late", d, d).Into(t, &struct{}{})
	received(t, events.Next())
}

func TestEventStreamRefuses(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	events := s.Stream(t.Context(), t, "", testserver.Received, nil)
	wrong(t, events.Next(), "UNAUTHENTICATED", "Authorization")
	if kind, _, err := events.Event(); kind != "complete" || err != nil {
		t.Errorf("then came %q, %v", kind, err)
	}
	events = s.Stream(t.Context(), t, "", `subscription { nonsense }`, nil)
	wrong(t, events.Next(), "GRAPHQL_VALIDATION_FAILED", "nonsense")
	events = s.Stream(t.Context(), t, "", `{ server { version } }`, nil)
	if data := string(events.Next().Data); data != `{"server":{"version":"test"}}` {
		t.Errorf("a query over an event stream: %s", data)
	}
}

// A client that opens an event stream and takes nothing is cut off, and keeps nobody waiting. The server notices by itself, over either
// HTTP: the place is free before the client has read a byte.
func TestEventStreamThatIsNotReadIsCutOff(t *testing.T) {
	overTLS, _ := withCertificate(testcert.New(t))
	for protocol, options := range map[string]testserver.Options{"HTTP/1.1": {}, "HTTP/2.0": overTLS} {
		t.Run(protocol, func(t *testing.T) { streamThatIsNotReadIsCutOff(t, protocol, options) })
	}
}

func streamThatIsNotReadIsCutOff(t *testing.T, protocol string, options testserver.Options) {
	t.Helper()
	// Over HTTP/2 all answers have to make progress within it, on a machine that is busy as well.
	const patience, sent = time.Second, 200
	options.Limits = func(l *limits.Limits) { l.WriteTimeout, l.MaxSockets = patience, 1 }
	s := testserver.Start(t, options)
	d := s.Register(t).Devices[0]
	events := s.Stream(t.Context(), t, d.Token(s.URL), testserver.Received, nil)
	if events.Protocol != protocol {
		t.Fatalf("the stream comes by %s", events.Protocol)
	}
	text := strings.Repeat("x", 60_000)
	for range sent { // far more than lies in buffers
		s.Send(t, text, d, d).Into(t, &struct{}{})
	}
	waitFor(t, "the place of the stream", func() bool {
		_, _, err := s.TryDial(t, testserver.Modern, nil)
		return err == nil
	})
	for read := 0; ; read++ {
		kind, _, err := events.Event()
		if err != nil {
			return
		}
		if kind != "next" || read == sent-1 {
			t.Fatalf("after %d of %d events the stream is as good as if they had been read: %q", read, sent, kind)
		}
	}
}

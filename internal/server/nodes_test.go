package server_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testnats"
	"github.com/letterlock/letterlock/internal/testserver"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// nodes are two servers on one PostgreSQL and one NATS.
type nodes struct {
	here, there *testserver.Server
	nats        *testnats.Server
	db          *database.DB
	// own are the subscriptions of NATS itself.
	own int
}

// startNodes starts two nodes that look again after an interval.
func startNodes(t *testing.T, lookAgain time.Duration) *nodes {
	t.Helper()
	n := &nodes{nats: testnats.Start(t), db: testdb.Open(t, database.PostgreSQL)}
	n.own = n.nats.Subscriptions()
	start := func(db *database.DB) *testserver.Server {
		return testserver.Start(t, testserver.Options{
			DB: db, NATS: n.nats.URL, PublicURLs: []string{"https://chat.example.org"},
			Limits: func(l *limits.Limits) { l.LookAgain = lookAgain },
		})
	}
	n.here, n.there = start(n.db), start(testdb.Reopen(t, n.db))
	n.known(t, 0)
	return n
}

// known waits until both nodes are at NATS, and it knows how many devices are listened for.
func (n *nodes) known(t *testing.T, devices int) {
	t.Helper()
	waitFor(t, "NATS to know who listens", func() bool { return n.nats.Subscriptions() == n.own+2+devices })
}

// What one node has committed is at once with the reader of another, which does not look again for an hour.
func TestNodesDeliverToEachOther(t *testing.T) {
	n := startNodes(t, time.Hour)
	alice, bob := n.here.Register(t).Devices[0], n.here.Register(t).Devices[0]
	listening := overSocket(t, n.there, testserver.Modern, bob.Token(n.there.URL), nil)
	n.known(t, 1)
	for i := range 20 {
		at := []*testserver.Server{n.here, n.there}[i%2]
		text := fmt.Sprint(i)
		if i == 7 {
			text = strings.Repeat("x", 60_000) // read from the store
		}
		input := testserver.Message(t, text, alice, bob)
		at.Query(t, alice.Token(at.URL), testserver.SendMessage, map[string]any{"input": input}).Into(t, &struct{}{})
		if m := received(t, listening.next()); m.MessageID != input["messageId"] {
			t.Fatalf("message %d: got %s, want %s", i, m.MessageID, input["messageId"])
		}
	}
	listening.end()
	n.known(t, 0)
}

func TestNewerSubscriptionEndsTheOlderOnAnotherNode(t *testing.T) {
	n := startNodes(t, time.Hour)
	d := n.here.Register(t).Devices[0]
	old := n.here.Open(t, testserver.Modern, d.Token(n.here.URL))
	old.Start("1", testserver.Received, nil)
	n.known(t, 1)
	n.here.Send(t, "x", d, d).Into(t, &struct{}{})
	received(t, old.Next()) // it is the older one: it has begun to read
	newer := overSocket(t, n.there, testserver.Modern, d.Token(n.there.URL), nil)
	errors := decode[[]testserver.Error](t, old.Expect("error").Payload)
	if len(errors) != 1 || errors[0].Extensions["code"] != "SUPERSEDED" {
		t.Errorf("%+v", errors)
	}
	n.known(t, 1)
	n.here.Send(t, "x", d, d).Into(t, &struct{}{})
	received(t, newer.next())
}

// Without NATS the nodes find out which subscription is the newest when they look again, wherever a device hops.
func TestNewerSubscriptionEndsTheOlderWithoutNATS(t *testing.T) {
	n := startNodes(t, 20*time.Millisecond)
	d := n.here.Register(t).Devices[0]
	n.nats.Stop()
	n.here.Send(t, "x", d, d).Into(t, &struct{}{})
	var before *testserver.Socket
	for i, at := range []*testserver.Server{n.here, n.there, n.here, n.there} {
		now := at.Open(t, testserver.Modern, d.Token(at.URL))
		now.Start("1", testserver.Received, map[string]any{"after": nil})
		received(t, now.Next()) // it has begun to read, and is newer than what began before
		if before != nil {
			errors := decode[[]testserver.Error](t, before.Expect("error").Payload)
			if len(errors) != 1 || errors[0].Extensions["code"] != "SUPERSEDED" {
				t.Errorf("hop %d: %+v", i, errors)
			}
		}
		before = now
	}
	input := testserver.Message(t, "x", d, d)
	n.here.Query(t, d.Token(n.here.URL), testserver.SendMessage, map[string]any{"input": input}).Into(t, &struct{}{})
	if m := received(t, before.Next()); m.MessageID != input["messageId"] {
		t.Errorf("got %s, want %s", m.MessageID, input["messageId"])
	}
}

// A removed device is cut off on every node at once: its sockets, also those that listen to nothing, and its tokens.
func TestRemovedDeviceIsCutOffOnEveryNode(t *testing.T) {
	n := startNodes(t, time.Hour)
	alice := n.here.Register(t)
	first, tablet := alice.Devices[0], alice.NewDevice()
	if answer := n.here.Publish(t, alice, first, tablet); answer.Code() != "" {
		t.Fatal(answer.Body)
	}
	token := tablet.Token(n.here.URL)
	n.there.Query(t, token, `{ viewer { id } }`, nil).Into(t, &struct{}{}) // the other node believes in it
	idle := n.there.Open(t, testserver.Modern, token)
	live := n.there.Open(t, testserver.Legacy, token)
	live.Start("1", testserver.Received, nil)
	stays := n.there.Open(t, testserver.Modern, first.Token(n.there.URL))
	n.known(t, 1)

	if answer := n.here.Publish(t, alice, first); answer.Code() != "" {
		t.Fatal(answer.Body)
	}
	for name, s := range map[string]*testserver.Socket{"idle": idle, "subscribed": live} {
		if code, reason := s.Closed(); code != socket.CloseForbidden {
			t.Errorf("%s: closed with %d %q, want 4403", name, code, reason)
		}
	}
	wrong(t, n.there.Query(t, token, `{ viewer { id } }`, nil), "DEVICE_REMOVED", "Link it again")
	again := n.there.Dial(t, testserver.Modern)
	again.Init(token)
	if code, _ := again.Closed(); code != socket.CloseForbidden {
		t.Errorf("a new socket is closed with %d, want 4403", code)
	}
	stays.Start("1", `{ viewer { id } }`, nil)
	if answer := stays.Next(); answer.Code() != "" {
		t.Errorf("the device that stays: %+v", answer)
	}
}

// NATS is no part of what is promised: without it, readers find messages and removals when they look again, and the nodes are
// ready all the same.
func TestNodesWorkWithoutNATS(t *testing.T) {
	n := startNodes(t, 20*time.Millisecond)
	alice, bob := n.here.Register(t), n.here.Register(t).Devices[0]
	first, tablet := alice.Devices[0], alice.NewDevice()
	if answer := n.here.Publish(t, alice, first, tablet); answer.Code() != "" {
		t.Fatal(answer.Body)
	}
	listening := overSocket(t, n.there, testserver.Modern, bob.Token(n.there.URL), nil)
	idle := n.there.Open(t, testserver.Modern, tablet.Token(n.there.URL))
	n.known(t, 1)
	deliver := func(count int) {
		t.Helper()
		for range count {
			input := testserver.Message(t, "x", first, bob)
			n.here.Query(t, first.Token(n.here.URL), testserver.SendMessage, map[string]any{"input": input}).Into(t, &struct{}{})
			if m := received(t, listening.next()); m.MessageID != input["messageId"] {
				t.Fatalf("got %s, want %s", m.MessageID, input["messageId"])
			}
		}
	}
	n.nats.Stop()
	deliver(3)
	if answer := n.here.Publish(t, alice, first); answer.Code() != "" {
		t.Fatal(answer.Body)
	}
	if code, _ := idle.Closed(); code != socket.CloseForbidden {
		t.Errorf("the removed device's socket is closed with %d, want 4403", code)
	}
	for _, s := range []*testserver.Server{n.here, n.there} {
		if answer := s.Do(t, http.MethodGet, "/readyz", nil, nil); answer.Status != http.StatusOK {
			t.Errorf("readyz: %d %s", answer.Status, answer.Body)
		}
	}
	n.nats.Restart()
	n.known(t, 1)
	deliver(3)
}

// Nodes also start while NATS is away.
func TestNodeStartsWithoutNATS(t *testing.T) {
	away := testnats.Start(t)
	away.Stop()
	s := testserver.Start(t, testserver.Options{NATS: away.URL})
	d := s.Register(t).Devices[0]
	listening := overSocket(t, s, testserver.Modern, d.Token(s.URL), nil)
	s.Send(t, "x", d, d).Into(t, &struct{}{})
	received(t, listening.next())
}

// What does not come from a node, or comes from a node of another store, changes nothing of what is delivered.
func TestGarbageOnNATSIsHarmless(t *testing.T) {
	n := startNodes(t, time.Hour)
	alice, bob := n.here.Register(t).Devices[0], n.here.Register(t).Devices[0]
	epoch, err := n.db.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	listening := overSocket(t, n.there, testserver.Modern, bob.Token(n.there.URL), nil)
	n.known(t, 1)
	conn, err := nats.Connect(n.nats.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	id := bob.Entry.DeviceID()
	prefix := fmt.Sprintf("letterlock.%016x.", uint64(epoch))
	for _, data := range []string{"", "x", "\x01\x01\x00\x00", "\x01\x01\x00\x02\x01x", "\x01\x02", strings.Repeat("\x01", 1<<19)} {
		for _, subject := range []string{base64.RawURLEncoding.EncodeToString(id[:]), "removed"} {
			if err := conn.Publish(prefix+subject, []byte(data)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	// A node of another store that is told to use this one's name cannot put its messages into mailboxes of this one.
	stranger, err := wakeup.NewNATS(wakeup.NATSOptions{URL: n.nats.URL, Store: epoch, Log: slog.New(slog.DiscardHandler)}, mailbox.Wire{})
	if err != nil {
		t.Fatal(err)
	}
	stranger.Notify(wakeup.Hint[mailbox.Message]{Device: id, Event: wakeup.Grown, Message: &mailbox.Message{
		ID: 9<<32 | 1, Number: 1, Kind: mailbox.Session, Ciphertext: []byte("not of this store"), ExpiresAt: time.Now().Add(time.Hour),
	}})
	stranger.Close(context.WithoutCancel(t.Context()))
	for range 5 {
		input := testserver.Message(t, "x", alice, bob)
		n.here.Query(t, alice.Token(n.here.URL), testserver.SendMessage, map[string]any{"input": input}).Into(t, &struct{}{})
		if m := received(t, listening.next()); m.MessageID != input["messageId"] {
			t.Fatalf("got %s, want %s", m.MessageID, input["messageId"])
		}
	}
}

package mailbox

import (
	"bytes"
	"context"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testnats"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// wireMessage is a message as a store would give it.
func wireMessage(kind Kind, ciphertext int) *Message {
	m := &Message{
		ID: messageID(maxMailbox, 7), Number: 7, Cursor: Cursor{epoch: 1<<63 - 1, mailbox: maxMailbox, number: 7},
		SenderListVersion: 3, Kind: kind, Ciphertext: make([]byte, ciphertext),
		SentAt: time.UnixMicro(1_772_000_000_123_456).UTC(), ExpiresAt: time.UnixMicro(1_773_000_000_654_321).UTC(),
	}
	random(m.MessageID[:])
	random(m.SenderUser[:])
	random(m.SenderDevice[:])
	random(m.Ciphertext)
	if kind == Box {
		m.Nonce = make([]byte, nonceLength)
		random(m.Nonce)
	}
	return m
}

func TestWire_KeepsEveryField(t *testing.T) {
	for _, m := range []*Message{wireMessage(Box, 1), wireMessage(Session, 256), wireMessage(SessionStart, wireCiphertext)} {
		b := Wire{}.Append(nil, m)
		if len(b) != (Wire{}).Size(m) {
			t.Errorf("kind %d: %d bytes, Size says %d", m.Kind, len(b), Wire{}.Size(m))
		}
		got, err := Wire{}.Decode(b)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("kind %d: got %+v %v, want %+v", m.Kind, got, err, m)
		}
	}
}

func TestWire_LeavesLongMessagesToTheStore(t *testing.T) {
	if n := (Wire{}).Size(wireMessage(Session, wireCiphertext+1)); n != 0 {
		t.Errorf("a long message takes %d bytes", n)
	}
}

func TestWire_KnowsItsVersionAndRefusesDamage(t *testing.T) {
	whole := Wire{}.Append(nil, wireMessage(Box, 10))
	change := func(at int, value byte) []byte {
		b := bytes.Clone(whole)
		b[at] = value
		return b
	}
	if m, err := (Wire{}).Decode(change(0, 2)); m != nil || err != nil {
		t.Errorf("a later version: %+v %v, want no message and no error", m, err)
	}
	noNumber := bytes.Clone(whole)
	clear(noNumber[13:17])
	noMailbox := bytes.Clone(whole)
	clear(noMailbox[9:13])
	tooLong := append(bytes.Clone(whole), make([]byte, wireCiphertext)...)
	for name, b := range map[string][]byte{
		"empty": {}, "version alone": whole[:1], "head": whole[:wireHead], "nonce": whole[:wireHead+nonceLength],
		"kind 0": change(93, 0), "kind 4": change(93, 4), "kind -1": change(93, 255), "negative": change(9, 0x80),
		"no number": noNumber, "no mailbox": noMailbox, "too long": tooLong,
	} {
		if m, err := (Wire{}).Decode(b); err == nil {
			t.Errorf("%s: read as %+v", name, m)
		}
	}
}

// What is read is what was written, in one form only.
func FuzzWire(f *testing.F) {
	f.Add([]byte{})
	f.Add(Wire{}.Append(nil, wireMessage(Box, 3)))
	f.Add(Wire{}.Append(nil, wireMessage(Session, 30)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Wire{}.Decode(b)
		if err != nil || m == nil {
			return
		}
		if _, err := ParseCursor(m.Cursor.String()); err != nil {
			t.Fatalf("the cursor: %v", err)
		}
		if again := (Wire{}).Append(nil, m); !bytes.Equal(again, b) {
			t.Fatalf("written again: %x, was %x", again, b)
		}
	})
}

// natsNode is a node on db whose hub is on NATS, and tells when its listeners are known there.
func natsNode(t *testing.T, db *database.DB, clock *clock, nats *testnats.Server) (*world, *wakeup.NATS[Message]) {
	t.Helper()
	epoch, err := db.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := nats.Subscriptions()
	hub, err := wakeup.NewNATS(wakeup.NATSOptions{URL: nats.URL, Store: epoch, Log: slog.New(slog.DiscardHandler)}, Wire{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hub.Close(context.Background()) })
	waitFor(t, "the hub at NATS", func() bool { return nats.Subscriptions() > before })
	return newNode(t, db, clock, func(o *Options) { o.Hub = hub }), hub
}

// Another node's committed messages are handed over from memory: nobody looks at the store again, and small ones are not even
// read from it.
func TestContract6_NodesHandOverByNATS(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		nats, clock := testnats.Start(t), newClock()
		here, _ := natsNode(t, db, clock, nats)
		there, hub := natsNode(t, testdb.Reopen(t, db), clock, nats)
		before := nats.Subscriptions()
		alice, bob := here.user(1), here.user(1)
		reader := there.subscribe(bob.devices[0], nil)
		there.nothing(reader)
		waitFor(t, "NATS to know the reader", func() bool { return nats.Subscriptions() == before+1 })
		const count = 50
		sent := here.fill(alice, bob, count)
		waitFor(t, "the wake-ups", func() bool {
			reader.mu.Lock()
			defer reader.mu.Unlock()
			return reader.queue.count == count && !reader.behind
		})
		var got []Message
		for range count {
			m, next := reader.take()
			if next != deliver {
				t.Fatalf("after %d messages the reader reads the store", len(got))
			}
			got = append(got, m)
		}
		equal(t, "ids", names(got), sent)
		stored := here.waiting(bob.devices[0])
		if !reflect.DeepEqual(got, stored) {
			t.Error("what travelled differs from what is stored")
		}
		// A long one is read.
		long := here.letter(alice, string(make([]byte, wireCiphertext+1)), bob)
		here.must(long)
		if m := there.next(reader); m.MessageID != long.MessageID || len(m.Ciphertext) != wireCiphertext+1 {
			t.Errorf("a long message: got %d bytes", len(m.Ciphertext))
		}
		if hub.Stats().Damaged != 0 {
			t.Errorf("%+v", hub.Stats())
		}
		reader.Close()
		waitFor(t, "NATS to forget the reader", func() bool { return nats.Subscriptions() == before })
	})
}

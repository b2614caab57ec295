package mailbox

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// fits sends a message and tells whether it found room.
func (w *world) fits(from, to *user, text string) bool {
	w.t.Helper()
	receipt, err := w.Send(w.ctx, w.letter(from, text, to))
	if err != nil {
		w.t.Fatalf("Send: %v", err)
	}
	return receipt.Deliveries[0].Stored
}

func TestContract8_AMailboxIsFullInMessages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bob := w.user(1)
		for i, from := range w.users(6) {
			if got, want := w.fits(from, bob, "x"), i < 5; got != want {
				t.Errorf("message %d: stored %v, want %v", i+1, got, want)
			}
		}
		w.acknowledge(bob, 1)
		if !w.fits(w.user(1), bob, "x") {
			t.Error("an acknowledgement made no room")
		}
	}, func(o *Options) { o.Limits.MaxMessages = 5 })
}

func TestContract8_AMailboxIsFullInBytes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		for i, c := range []struct {
			text string
			want bool
		}{{"12345", true}, {"123456", false}, {"12345", true}, {"1", false}} {
			if got := w.fits(alice, bob, c.text); got != c.want {
				t.Errorf("message %d: stored %v, want %v", i+1, got, c.want)
			}
		}
		w.acknowledge(bob, 1)
		if !w.fits(alice, bob, "12345") {
			t.Error("an acknowledgement made no room")
		}
	}, func(o *Options) { o.Limits.MaxBytes = 10 })
}

func TestContract8_NoUserFillsAMailboxAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mallory, alice, bob := w.user(2), w.user(1), w.user(1)
		for i := range 4 {
			// The quota is the user's, whichever device sends.
			from := &user{id: mallory.id, devices: mallory.devices[i%2:]}
			if got, want := w.fits(from, bob, "spam"), i < 3; got != want {
				t.Errorf("message %d of mallory: stored %v, want %v", i+1, got, want)
			}
		}
		for i := range 4 {
			if got, want := w.fits(alice, bob, "hello"), i < 3; got != want {
				t.Errorf("message %d of alice: stored %v, want %v", i+1, got, want)
			}
		}
		// Each place that is free again is the one of who was there.
		w.acknowledge(bob, 1)
		if w.fits(alice, bob, "x") || !w.fits(mallory, bob, "x") || w.fits(mallory, bob, "x") {
			t.Error("the place of one sender went to another")
		}
	}, func(o *Options) { o.Limits.MaxMessagesPerSender = 3 })
}

// Many sends at once share batches: quotas hold inside of one.
func TestContract8_QuotasHoldInsideABatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, carol, bob := w.user(1), w.user(1), w.user(1)
		gate := newGate(newStore(w.db))
		held := newNodeOver(t, w.db, gate, w.clock, func(o *Options) {
			o.Limits.MaxMessagesPerSender, o.Limits.MaxMessages = 10, 15
		})
		var stored [2]atomic.Int64
		var wait sync.WaitGroup
		for i := range 60 {
			from := []*user{alice, carol}[i%2]
			wait.Go(func() {
				if held.fits(from, bob, "x") {
					stored[i%2].Add(1)
				}
			})
		}
		<-gate.arrived
		waitFor(t, "all to queue", func() bool {
			held.queue.mu.Lock()
			defer held.queue.mu.Unlock()
			return len(held.queue.waiting) >= 59-batchCount
		})
		close(gate.open)
		wait.Wait()
		a, c := stored[0].Load(), stored[1].Load()
		if a > 10 || c > 10 || a+c != 15 {
			t.Errorf("stored %d and %d; want 15 in all and at most 10 of each", a, c)
		}
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(15))
	})
}

func TestContract8_AFullMailboxFailsAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(3)
		tablet := &user{id: bob.id, version: 1, devices: bob.devices[1:2]}
		w.fill(alice, tablet, 2)
		receipt, err := w.Send(w.ctx, w.letter(alice, "x", bob))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "deliveries", receipt.Deliveries, []Delivery{
			{Device: bob.devices[0], Stored: true}, {Device: bob.devices[1]}, {Device: bob.devices[2], Stored: true},
		})
		if got := w.status(alice.devices[0]).Accepted; got != 4 {
			t.Errorf("acceptedCount is %d, want the 4 envelopes that were stored", got)
		}
		for i, want := range []int{1, 2, 1} {
			if got := len(w.waiting(bob.devices[i])); got != want {
				t.Errorf("device %d has %d messages, want %d", i, got, want)
			}
		}
	}, func(o *Options) { o.Limits.MaxMessages = 2 })
}

// Who has many crowded mailboxes to be counted waits for later batches; everyone is answered.
func TestContract8_CountingIsBoundedInABatch(t *testing.T) {
	b := &batch{limits: Limits{MaxMessages: 1 << 30, MaxMessagesPerSender: 1}, claimed: &claimed{
		mailboxes: map[identity.DeviceID]*mailboxRow{}, fresh: map[sendKey]bool{},
	}}
	for i := range 5 {
		device := identity.DeviceID{byte(i)}
		b.claimed.mailboxes[device] = &mailboxRow{id: int64(i + 1), device: device, count: countBudget/2 - 1}
		w := &work{send: &sendWork{claim: claim{sendKey: sendKey{day: int32(i)}}}}
		w.send.envelopes = []addressed{{Envelope: &Envelope{Device: device}}}
		b.claimed.fresh[w.send.sendKey] = true
		b.works = append(b.works, w)
	}
	pairs := b.pairsToCount(b.crowded())
	if len(pairs) != 2 || len(b.putOff) != 3 || b.putOff[b.works[0]] || b.putOff[b.works[1]] {
		t.Errorf("%d mailboxes are counted and %d sends put off; want the first 2 counted", len(pairs), len(b.putOff))
	}
}

func TestContract8_SendsThatWerePutOffAreAnswered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const senders = 8
		from, to := w.users(senders), w.users(senders)
		for i := range from {
			w.fill(from[i], to[i], 2)
			// As if much waited: what is counted is rows, what it is budgeted by is the counter.
			err := w.db.Ent.Mailbox.Update().Where(mailboxOf(to[i])).SetWaitingCount(countBudget - 1).Exec(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
		}
		gate := newGate(newStore(w.db))
		held := newNodeOver(t, w.db, gate, w.clock, func(o *Options) {
			o.Limits.MaxMessages, o.Limits.MaxMessagesPerSender = 1<<30, 3
		})
		var wait sync.WaitGroup
		for i := range from {
			wait.Go(func() {
				if !held.fits(from[i], to[i], "x") || held.fits(from[i], to[i], "x") {
					t.Error("the third message did not fit, or the fourth did")
				}
			})
		}
		<-gate.arrived
		close(gate.open)
		wait.Wait()
	})
}

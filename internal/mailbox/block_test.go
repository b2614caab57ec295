package mailbox

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

// change runs a change of the directory's.
func (w *world) change(do func(tx *ent.Tx) error) {
	w.t.Helper()
	err := w.db.Write(w.ctx, "change", func(_ context.Context, tx *ent.Tx) error { return do(tx) })
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) block(device identity.DeviceID, users ...*user) {
	w.t.Helper()
	ids := make([]identity.UserID, len(users))
	for i, u := range users {
		ids[i] = u.id
	}
	w.change(func(tx *ent.Tx) error { return w.Block(w.ctx, tx, device, ids) })
}

// What a blocked user sends takes no number and no room. The answer is that of a stored envelope, the first time and again, and it counts
// as accepted.
func TestBlockedEnvelopesGoNowhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob, carol := w.user(2), w.user(1), w.user(1)
		w.fill(bob, alice, 2)
		w.block(alice.devices[0], bob)
		send := w.letter(bob, "x", alice)
		for range 2 {
			receipt := w.must(send)
			if len(receipt.Deliveries) != 2 || !receipt.Deliveries[0].Stored || !receipt.Deliveries[1].Stored {
				t.Fatalf("receipt %+v", receipt)
			}
		}
		w.fill(carol, alice, 1)
		equal(t, "the mailbox that blocks", numbers(w.waiting(alice.devices[0])), upTo(3))
		equal(t, "the other one", numbers(w.waiting(alice.devices[1])), upTo(4))
		if got := w.status(bob.devices[0]).Accepted; got != 6 {
			t.Errorf("%d envelopes are accepted, want 6", got)
		}
		w.block(alice.devices[0], carol)
		w.fill(bob, alice, 1)
		w.fill(carol, alice, 1)
		equal(t, "with another one blocked", numbers(w.waiting(alice.devices[0])), upTo(4))
	})
}

// Somebody is blocked and unblocked while they send, through two nodes: what came is numbered without gaps, and of what was sent
// after a block and before the next change nothing came.
func TestBlocksWhileSendsCome(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		nodes := []*world{w, w.node()}
		var sent atomic.Int64
		ctx, stop := context.WithCancel(w.ctx)
		var wait sync.WaitGroup
		for i := range 4 {
			wait.Go(func() {
				for ctx.Err() == nil {
					if _, err := nodes[i%2].Send(w.ctx, w.letter(bob, "x", alice)); err != nil {
						t.Errorf("got %v", err)
						return
					}
					sent.Add(1)
				}
			})
		}
		more := func() {
			n := sent.Load()
			waitFor(t, "more sends", func() bool { return sent.Load() > n+8 })
		}
		last := func() int64 {
			row, _, err := w.store.standing(w.ctx, alice.devices[0])
			if err != nil {
				t.Fatal(err)
			}
			return row.last
		}
		for range 10 {
			more()
			w.block(alice.devices[0], bob)
			before := last()
			more()
			if after := last(); after != before {
				t.Errorf("blocked, the mailbox went from %d to %d", before, after)
			}
			w.block(alice.devices[0])
			waitFor(t, "sends to come again", func() bool { return last() > before })
		}
		stop()
		wait.Wait()
		equal(t, "numbers", numbers(w.waiting(alice.devices[0])), upTo(int(last())))
	}, func(o *Options) { o.Limits = Limits{MaxMessages: 1 << 20, MaxMessagesPerSender: 1 << 20} })
}

func TestBlockOfARemovedDeviceIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(2), w.user(1)
		gone := alice.devices[1]
		w.block(gone, bob)
		w.move(alice, nil, []identity.DeviceID{gone})
		err := w.db.Write(w.ctx, "block", func(_ context.Context, tx *ent.Tx) error {
			return w.Block(w.ctx, tx, gone, []identity.UserID{bob.id})
		})
		refused(t, err, problem.DeviceRemoved)
		if n := w.db.Ent.Block.Query().CountX(w.ctx); n != 0 {
			t.Errorf("%d blocks are left of a removed device", n)
		}
	})
}

// A user who is deleted has no mailbox: readers end here and on a node that was not told, sends are refused as to nobody, also where the
// mailbox was known, and nothing that waited is left.
func TestDeletedMailboxesAreGone(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(2), w.user(1)
		other := w.node(looksOften)
		w.fill(bob, alice, 3)
		other.fill(bob, alice, 1)
		w.fill(alice, bob, 1)
		here, there := w.subscribe(alice.devices[0], nil), other.subscribe(alice.devices[1], nil)
		for range 4 {
			w.next(here)
			other.next(there)
		}
		w.change(func(tx *ent.Tx) error { return w.Delete(w.ctx, tx, alice.id) })
		w.Closed(alice.devices...)

		_, err := w.patient(here)
		refused(t, err, problem.DeviceRemoved)
		_, err = other.patient(there)
		refused(t, err, problem.DeviceRemoved)
		for range 2 {
			for _, node := range []*world{w, other} {
				_, err = node.Send(w.ctx, w.letter(bob, "x", alice))
				refused(t, err, problem.RecipientUnknown)
				_, err = node.Send(w.ctx, w.letter(alice, "x", bob))
				refused(t, err, problem.DeviceRemoved)
			}
		}
		equal(t, "what she has sent", numbers(w.waiting(bob.devices[0])), upTo(1))
		if n := w.db.Ent.Message.Query().CountX(w.ctx); n != 1 {
			t.Errorf("%d messages are left, want the one to Bob", n)
		}
	})
}

// Long mailboxes are drained in steps before they are deleted, and stay what they say they are in between.
func TestDrainKeepsTheCounters(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		const n = drainAbove + drainStep + 7
		to := make([]Outgoing, 0, n)
		for range n {
			send := w.letter(bob, "four", alice)
			to = append(to, Outgoing{MessageID: send.MessageID, Recipients: send.Recipients})
		}
		for len(to) > 0 {
			k := min(len(to), 200)
			if _, err := w.SendAll(w.ctx, Call{CallID: w.newID(), SenderUser: bob.id, SenderDevice: bob.devices[0], Messages: to[:k]}); err != nil {
				t.Fatal(err)
			}
			to = to[k:]
		}
		for _, want := range []struct {
			more bool
			left int64
		}{{true, n - drainStep}, {true, 0}, {false, 0}} {
			w.change(func(tx *ent.Tx) error {
				more, err := w.Drain(w.ctx, tx, alice.id)
				if more != want.more {
					t.Errorf("more is %v, want %v", more, want.more)
				}
				return err
			})
			if got := w.status(alice.devices[0]); got.Waiting != want.left || got.WaitingBytes != 4*want.left {
				t.Errorf("%d messages of %d bytes wait, want %d", got.Waiting, got.WaitingBytes, want.left)
			}
		}
		w.fill(bob, alice, 1)
		equal(t, "numbers", numbers(w.waiting(alice.devices[0])), []int64{n + 1})
	}, func(o *Options) { o.Limits = Limits{MaxMessages: 1 << 20, MaxMessagesPerSender: 1 << 20} })
}

package mailbox

import (
	"testing"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/internal/problem"
)

// call is a call of a user's first device.
func (w *world) call(from *user, messages ...Send) Call {
	c := Call{CallID: w.newID(), SenderUser: from.id, SenderDevice: from.devices[0]}
	for _, m := range messages {
		c.Messages = append(c.Messages, Outgoing{MessageID: m.MessageID, ExpiresIn: m.ExpiresIn, Recipients: m.Recipients})
	}
	return c
}

func TestContract2_ACallIsStoredOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob, carol := w.user(1), w.user(2), w.user(1)
		call := w.call(alice, w.letter(alice, "1", bob), w.letter(alice, "2", bob, carol), w.letter(alice, "3", carol))
		r := w.subscribe(bob.devices[1], nil)
		for try := range 3 {
			receipts, err := w.SendAll(w.ctx, call)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []int{2, 3, 1} {
				if receipts[i].MessageID != call.Messages[i].MessageID || len(receipts[i].Deliveries) != want || !receipts[i].AcceptedAt.Equal(w.clock.Now()) {
					t.Errorf("try %d, message %d: %+v", try, i, receipts[i])
				}
				for _, d := range receipts[i].Deliveries {
					if !d.Stored {
						t.Errorf("try %d, message %d: not stored", try, i)
					}
				}
			}
		}
		for i, want := range []int{0, 1} {
			if m := w.next(r); m.MessageID != call.Messages[want].MessageID || m.Number != int64(i+1) {
				t.Errorf("message %d is %v", i, m.MessageID)
			}
		}
		w.nothing(r)
		equal(t, "names", names(w.waiting(carol.devices[0])), []uuid.UUID{call.Messages[1].MessageID, call.Messages[2].MessageID})
		if got := w.status(alice.devices[0]).Accepted; got != 6 {
			t.Errorf("acceptedCount is %d, want 6", got)
		}
		other := w.call(alice, w.letter(alice, "4", bob))
		other.CallID = call.CallID
		_, err := w.SendAll(w.ctx, other)
		refused(t, err, problem.MessageIDReused)
		single := w.letter(alice, "5", bob)
		single.MessageID = call.CallID
		_, err = w.Send(w.ctx, single)
		refused(t, err, problem.MessageIDReused)
	})
}

func TestContract1_ACallIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob, carol := w.user(1), w.user(1), w.user(1)
		w.fill(alice, bob, 1)
		w.fill(alice, carol, 1)
		stale := w.letter(alice, "2", carol)
		stale.Recipients[0].ListVersion++
		call := w.call(alice, w.letter(alice, "1", bob), stale)
		_, err := w.SendAll(w.ctx, call)
		refused(t, err, problem.DeviceListChanged)
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(1))
		// A refusal does not use the id up.
		call.Messages[1].Recipients[0].ListVersion--
		if _, err := w.SendAll(w.ctx, call); err != nil {
			t.Fatal(err)
		}
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(2))
		equal(t, "numbers", numbers(w.waiting(carol.devices[0])), upTo(2))
	})
}

func TestContract8_AFullMailboxFailsAloneInACall(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob, carol := w.user(1), w.user(1), w.user(1)
		w.fill(alice, bob, 1)
		call := w.call(alice, w.letter(alice, "1", bob), w.letter(alice, "2", bob), w.letter(alice, "3", carol))
		for range 2 {
			receipts, err := w.SendAll(w.ctx, call)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []bool{true, false, true} {
				if receipts[i].Deliveries[0].Stored != want {
					t.Errorf("message %d is stored: %v", i, !want)
				}
			}
		}
	}, func(o *Options) { o.Limits.MaxMessages = 2 })
}

func TestSendAll_BadInput(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		letter := func() Send { return w.letter(alice, "x", bob) }
		twice := w.call(alice, letter(), letter())
		twice.Messages[1].MessageID = twice.Messages[0].MessageID
		hollow := w.call(alice, letter(), letter())
		hollow.Messages[1].Recipients = nil
		badID := w.call(alice, letter())
		badID.CallID = uuid.UUID{}
		for name, call := range map[string]Call{
			"no message": w.call(alice), "an id twice": twice, "no recipient": hollow, "no call id": badID,
			"too many": w.call(alice, letter(), letter(), letter()),
		} {
			_, err := w.SendAll(w.ctx, call)
			if problem.CodeOf(err) != problem.BadInput {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := len(w.waiting(bob.devices[0])); n != 0 {
			t.Errorf("%d messages were stored", n)
		}
	}, func(o *Options) { o.Limits.MaxEnvelopesPerSend = 2 })
}

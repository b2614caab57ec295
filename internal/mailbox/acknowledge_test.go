package mailbox

import (
	"sync"
	"testing"

	"github.com/letterlock/letterlock/internal/problem"
)

// cursor is the position of a number in a user's first device's mailbox.
func (w *world) cursor(u *user, number int64) Cursor {
	w.t.Helper()
	row, found, err := w.store.standing(w.ctx, u.devices[0])
	if err != nil || !found {
		w.t.Fatalf("standing: %v, %v", found, err)
	}
	return Cursor{epoch: row.epoch, mailbox: row.id, number: number}
}

func (w *world) acknowledge(u *user, number int64) Acknowledgement {
	w.t.Helper()
	answer, err := w.Acknowledge(w.ctx, u.devices[0], w.cursor(u, number))
	if err != nil {
		w.t.Fatalf("Acknowledge: %v", err)
	}
	return answer
}

func TestContract5_AcknowledgeDeletesUpToTheCursor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 5)
		cursor := w.waiting(bob.devices[0])[2].Cursor
		want := Acknowledgement{UpTo: cursor, Removed: 3}
		if got := w.acknowledge(bob, 3); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		equal(t, "left", numbers(w.waiting(bob.devices[0])), []int64{4, 5})
		if got := w.status(bob.devices[0]); got.Waiting != 2 || got.WaitingBytes != 2 {
			t.Errorf("the mailbox stands at %+v", got)
		}
		// Numbers go on; they are never given out again.
		w.acknowledge(bob, 5)
		w.fill(alice, bob, 1)
		equal(t, "left", numbers(w.waiting(bob.devices[0])), []int64{6})
	})
}

func TestContract5_RepeatingAnAcknowledgementChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 5)
		w.acknowledge(bob, 3)
		for _, number := range []int64{3, 1, 3} {
			want := Acknowledgement{UpTo: w.cursor(bob, 3)}
			if got := w.acknowledge(bob, number); got != want {
				t.Errorf("up to %d again: got %+v, want %+v", number, got, want)
			}
		}
		equal(t, "left", numbers(w.waiting(bob.devices[0])), []int64{4, 5})
	})
}

func TestContract3_ACursorThatIsNotOfThisMailboxDeletesNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob, carol := w.user(1), w.user(1), w.user(1)
		w.fill(alice, bob, 2)
		w.fill(alice, carol, 2)
		foreign := w.cursor(bob, 1)
		foreign.epoch++
		for name, cursor := range map[string]Cursor{
			"of another mailbox": w.cursor(carol, 1), "of another store": foreign, "ahead of the counter": w.cursor(bob, 3),
			"zero": {},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.Acknowledge(w.ctx, bob.devices[0], cursor)
				refused(t, err, problem.CursorInvalid)
				_, err = w.Page(w.ctx, bob.devices[0], &cursor, 10)
				refused(t, err, problem.CursorInvalid)
				_, err = w.Subscribe(w.ctx, bob.devices[0], &cursor)
				refused(t, err, problem.CursorInvalid)
			})
		}
		for _, u := range []*user{bob, carol} {
			equal(t, "left", numbers(w.waiting(u.devices[0])), upTo(2))
		}
	})
}

func TestContract3_ARenewedEpochMakesCursorsForeign(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 3)
		r := w.subscribe(bob.devices[0], nil)
		before := w.next(r).Cursor
		if _, err := w.db.RenewEpoch(w.ctx); err != nil {
			t.Fatal(err)
		}
		_, err := w.Acknowledge(w.ctx, bob.devices[0], before)
		refused(t, err, problem.CursorInvalid)
		equal(t, "left", numbers(w.waiting(bob.devices[0])), upTo(3))
		// The open reader ends when it looks, and a new one without a cursor starts again.
		w.lookAgain(w.ctx)
		for err == nil || problem.CodeOf(err) != problem.CursorInvalid {
			_, err = r.Next(w.ctx)
		}
		m := w.next(w.subscribe(bob.devices[0], nil))
		if m.Number != 1 {
			t.Errorf("the new subscription starts at %d", m.Number)
		}
		if _, err := w.Acknowledge(w.ctx, bob.devices[0], m.Cursor); err != nil {
			t.Errorf("a new cursor: %v", err)
		}
	})
}

// Acknowledgements race with sends and with each other: counters add up and nothing that was not acknowledged goes.
func TestContract5_AcknowledgementsWhileSendsCome(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		const n = 200
		alice, bob := w.user(1), w.user(1)
		other := w.node(looksOften)
		var wait sync.WaitGroup
		wait.Go(func() { w.fill(alice, bob, n) })
		removed := 0
		r := other.subscribe(bob.devices[0], nil)
		for seen := 0; seen < n; seen++ {
			m := other.next(r)
			if m.Number%10 == 0 {
				answer, err := []*world{w, other}[m.Number/10%2].Acknowledge(w.ctx, bob.devices[0], m.Cursor)
				if err != nil {
					t.Fatal(err)
				}
				removed += answer.Removed
			}
		}
		wait.Wait()
		if got := w.status(bob.devices[0]); removed != n || got.Waiting != 0 || got.WaitingBytes != 0 {
			t.Errorf("removed %d of %d, the mailbox stands at %+v", removed, n, got)
		}
	})
}

func TestAcknowledge_ARemovedDeviceIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(2)
		w.fill(alice, bob, 1)
		cursor := w.waiting(bob.devices[0])[0].Cursor
		gone := bob.devices[0]
		w.move(bob, nil, bob.devices[:1:1])
		_, err := w.Acknowledge(w.ctx, gone, cursor)
		refused(t, err, problem.DeviceRemoved)
	})
}

package mailbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// patient is next for goroutines that may not end the test.
func (w *world) patient(r *reading) (Message, error) {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	return r.Next(ctx)
}

// badHub loses, doubles, delays and empties hints, by chance.
type badHub struct {
	*wakeup.Local[Message]
	mu   sync.Mutex
	late []wakeup.Hint[Message]
}

func newBadHub() *badHub { return &badHub{Local: wakeup.NewLocal[Message]()} }

func (h *badHub) Notify(hints ...wakeup.Hint[Message]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var now []wakeup.Hint[Message]
	for _, hint := range hints {
		switch rand.N(6) {
		case 0:
		case 1:
			now = append(now, hint, hint)
		case 2:
			h.late = append(h.late, hint)
		case 3:
			hint.Message = nil
			now = append(now, hint)
		default:
			now = append(now, hint)
		}
	}
	if rand.N(3) == 0 {
		now, h.late = append(now, h.late...), nil
	}
	h.Local.Notify(now...)
}

func TestContract6_WakeUpsThatAreLostDoubledOrLateLoseNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		const senders, each = 8, 40
		bob := w.user(1)
		r := w.subscribe(bob.devices[0], nil)
		var wait sync.WaitGroup
		for _, sender := range w.users(senders) {
			wait.Go(func() { w.fill(sender, bob, each) })
		}
		for want := int64(1); want <= senders*each; want++ {
			if got := w.next(r).Number; got != want {
				t.Fatalf("got %d, want %d", got, want)
			}
		}
		wait.Wait()
		w.nothing(r)
	}, looksOften, func(o *Options) { o.Hub = newBadHub() })
}

// deafHub passes nothing on.
type deafHub struct{}

func (deafHub) Notify(...wakeup.Hint[Message]) {}
func (deafHub) Listen(identity.DeviceID, func(wakeup.Hint[Message])) func() {
	return func() {}
}

func TestContract6_AReaderLooksForItself(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		r := w.subscribe(bob.devices[0], nil)
		w.nothing(r)
		w.fill(alice, bob, 3)
		w.nothing(r) // nobody told it
		w.lookAgain(w.ctx)
		for _, want := range upTo(3) {
			if got := w.next(r).Number; got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		}
		w.nothing(r)
	}, func(o *Options) { o.Hub = deafHub{} })
}

// What is the very next number is handed over from memory: the store is not asked.
func TestContract6_TheNextNumberIsHandedOverFromMemory(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		r := w.subscribe(bob.devices[0], nil)
		w.nothing(r)
		w.fill(alice, bob, 2)
		for _, want := range upTo(2) {
			if m, next := r.take(); next != deliver || m.Number != want {
				t.Errorf("from memory came %d (step %v), want %d", m.Number, next, want)
			}
		}
		if _, next := r.take(); next != await {
			t.Errorf("the next step is %v, want to wait", next)
		}
	})
}

// A hint that was made for another mailbox or another state of the store is not believed.
func TestContract6_AForeignHintIsNotDelivered(t *testing.T) {
	bothWays(t, func(_ *testing.T, w *world) {
		bob := w.user(1)
		r := w.subscribe(bob.devices[0], nil)
		w.nothing(r)
		for _, cursor := range []Cursor{
			{epoch: r.epoch, mailbox: r.mailbox + 1, number: 1}, {epoch: r.epoch + 1, mailbox: r.mailbox, number: 1},
			{epoch: r.epoch, mailbox: r.mailbox, number: 9},
		} {
			w.hub.Notify(wakeup.Hint[Message]{Device: bob.devices[0], Event: wakeup.Grown, Message: &Message{Number: cursor.number, Cursor: cursor}})
			w.nothing(r)
		}
	})
}

func TestContract7_ASlowReaderIsBoundedAndSlowsNobody(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, slowpoke, bob := w.user(1), w.user(1), w.user(1)
		slow := w.subscribe(slowpoke.devices[0], nil)
		w.nothing(slow)
		fast := w.subscribe(bob.devices[0], nil)
		const small, large = 2 * queuedMost, 30
		big := string(make([]byte, queuedSize/10))
		// The senders go on and the other reader gets all, while the slow one takes nothing.
		for i := range small + large {
			text := "x"
			if i >= small {
				text = big
			}
			w.must(w.letter(alice, text, slowpoke, bob))
			if got := w.next(fast).Number; got != int64(i+1) {
				t.Fatalf("the fast reader got %d, want %d", got, i+1)
			}
			slow.mu.Lock()
			count, size := slow.queue.count, slow.queue.bytes
			slow.mu.Unlock()
			if count > queuedMost || size > queuedSize {
				t.Fatalf("the slow reader holds %d messages, %d bytes", count, size)
			}
		}
		for want := int64(1); want <= small+large; want++ {
			if got := w.next(slow).Number; got != want {
				t.Fatalf("the slow reader got %d, want %d", got, want)
			}
			if n := len(slow.page); n > readCount {
				t.Fatalf("a page of %d messages", n)
			}
		}
		w.nothing(slow)
	}, func(o *Options) { o.Limits.MaxCiphertextBytes = queuedSize })
}

func TestContract4_ANewerSubscriptionEndsTheOlder(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		older := w.subscribe(bob.devices[0], nil)
		waiting := make(chan error, 1)
		go func() {
			_, err := w.patient(older)
			waiting <- err
		}()
		newer := w.subscribe(bob.devices[0], nil)
		refused(t, <-waiting, problem.Superseded)
		_, err := older.Next(w.ctx)
		refused(t, err, problem.Superseded)
		older.Close() // does not take the newer one with it
		w.fill(alice, bob, 1)
		if got := w.next(newer).Number; got != 1 {
			t.Errorf("the newer reader got %d", got)
		}
		// A subscription that is refused ends nobody.
		ahead := w.cursor(bob, 9)
		if _, err := w.tryToSubscribe(bob.devices[0], &ahead); err == nil {
			t.Fatal("a cursor ahead was taken")
		}
		w.fill(alice, bob, 1)
		if got := w.next(newer).Number; got != 2 {
			t.Errorf("the newer reader got %d", got)
		}
	})
}

func TestContract4_SubscriptionsThatBeginAtOnceLeaveOne(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		bob := w.user(1)
		readers := make([]*reading, 16)
		var wait sync.WaitGroup
		for i := range readers {
			wait.Go(func() { readers[i] = insistOnReading(w, bob.devices[0]) })
		}
		wait.Wait()
		left := 0
		for _, r := range readers {
			if r == nil {
				continue // was overtaken while it began
			}
			defer r.Close()
			r.mu.Lock()
			if r.ended == nil {
				left++
			}
			r.mu.Unlock()
		}
		if left != 1 {
			t.Errorf("%d readers are left, want 1", left)
		}
	})
}

func TestReader_EndsWithItsCallersContextAndCanGoOn(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		r := w.subscribe(bob.devices[0], nil)
		ctx, cancel := context.WithCancel(w.ctx)
		done := make(chan error, 1)
		go func() {
			_, err := r.Next(ctx)
			done <- err
		}()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		w.fill(alice, bob, 1)
		if got := w.next(r).Number; got != 1 {
			t.Errorf("then came %d", got)
		}
		r.Close()
		r.Close()
		if _, err := r.Next(w.ctx); err == nil {
			t.Error("a closed reader reads")
		}
		if n := len(w.readers.all()); n != 0 {
			t.Errorf("%d readers are still known", n)
		}
	})
}

// Many readers are looked at in few questions.
func TestContract6_ManyReadersAreLookedAtTogether(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice := w.user(1)
		crowd := []*user{w.user(100), w.user(100), w.user(100)}
		var readers []*reading
		for _, u := range crowd {
			for _, device := range u.devices {
				r := w.subscribe(device, nil)
				w.nothing(r)
				readers = append(readers, r)
			}
			w.must(w.letter(alice, "x", u))
		}
		w.lookAgain(w.ctx)
		for _, r := range readers {
			if got := w.next(r).Number; got != 1 {
				t.Fatalf("got %d", got)
			}
		}
	}, func(o *Options) { o.Hub = deafHub{} })
}

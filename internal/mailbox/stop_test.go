package mailbox

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/internal/problem"
)

func TestContract10_StoppingUnderLoadKeepsWhatItAnswered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const senders = 24
		bob := w.user(1)
		node := w.node()
		var mu sync.Mutex
		answered := make(map[uuid.UUID]bool)
		var wait sync.WaitGroup
		for _, sender := range w.users(senders) {
			wait.Go(func() {
				for {
					send := node.letter(sender, "x", bob)
					_, err := node.Send(w.ctx, send)
					if err != nil {
						refused(t, err, problem.Stopping)
						return
					}
					mu.Lock()
					answered[send.MessageID] = true
					mu.Unlock()
				}
			})
		}
		waitFor(t, "some load", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(answered) > 100
		})
		node.stop()
		wait.Wait()
		there := w.waiting(bob.devices[0])
		equal(t, "numbers", numbers(there), upTo(len(there)))
		if len(there) != len(answered) {
			t.Errorf("%d were answered, %d are there", len(answered), len(there))
		}
		for _, m := range there {
			if !answered[m.MessageID] {
				t.Errorf("%v is there and was not answered", m.MessageID)
			}
		}
	}, func(o *Options) { o.Limits = Limits{MaxMessages: 1 << 20, MaxMessagesPerSender: 1 << 20} })
}

func TestContract10_StoppingEndsReadersAndRefusesWork(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		cursor := w.cursor(bob, 1)
		node := w.node()
		r := node.subscribe(bob.devices[0], nil)
		waiting := make(chan error, 1)
		go func() {
			_, err := node.patient(r)
			waiting <- err
		}()
		node.stop()
		refused(t, <-waiting, problem.Stopping)
		_, err := node.Send(w.ctx, w.letter(alice, "x", bob))
		refused(t, err, problem.Stopping)
		_, err = node.Acknowledge(w.ctx, bob.devices[0], cursor)
		refused(t, err, problem.Stopping)
		_, err = node.tryToSubscribe(bob.devices[0], nil)
		refused(t, err, problem.Stopping)
		node.stop() // again
	})
}

// Stopping is bounded: a store that hangs is let go of.
func TestContract10_StoppingIsBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		hung := &hanging{store: newStore(w.db), arrived: make(chan struct{})}
		node := newNodeOver(t, w.db, hung, w.clock)
		first := make(chan error, 1)
		go func() {
			_, err := node.Send(w.ctx, w.letter(alice, "x", bob))
			first <- err
		}()
		<-hung.arrived
		second := make(chan error, 1)
		go func() {
			_, err := node.Send(w.ctx, w.letter(alice, "x", bob))
			second <- err
		}()
		waitFor(t, "the second to queue", func() bool {
			node.queue.mu.Lock()
			defer node.queue.mu.Unlock()
			return len(node.queue.waiting) == 1
		})
		ctx, cancel := context.WithTimeout(w.ctx, 10*time.Millisecond)
		defer cancel()
		if err := node.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
		refused(t, <-first, problem.Stopping)
		refused(t, <-second, problem.Stopping)
	})
}

// hanging is a store that does not answer until its context ends.
type hanging struct {
	store
	once    sync.Once
	arrived chan struct{}
}

func (h *hanging) begin(ctx context.Context, _ request) (transaction, *claimed, error) {
	h.once.Do(func() { close(h.arrived) })
	<-ctx.Done()
	return nil, nil, errors.Join(errTransient, ctx.Err())
}

func TestQueue_IsBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob, carol := w.user(1), w.user(1), w.user(1)
		gate := newGate(newStore(w.db))
		node := newNodeOver(t, w.db, gate, w.clock)
		var wait sync.WaitGroup
		wait.Go(func() { node.fill(alice, bob, 1) })
		<-gate.arrived
		// One device has its share of the queue and not more.
		for range queueDevice {
			wait.Go(func() { node.fill(alice, bob, 1) })
		}
		waitFor(t, "all to queue", func() bool {
			node.queue.mu.Lock()
			defer node.queue.mu.Unlock()
			return len(node.queue.waiting) == queueDevice
		})
		_, err := node.Send(w.ctx, w.letter(alice, "x", bob))
		refused(t, err, problem.Overloaded)
		var p *problem.Error
		if errors.As(err, &p) && p.RetryAfter <= 0 {
			t.Error("the caller is not told when to come again")
		}
		wait.Go(func() { node.fill(carol, bob, 1) })
		close(gate.open)
		wait.Wait()
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(queueDevice+2))
	})
}

func TestQueue_ABatchIsBoundedAndTakesNothingTwice(t *testing.T) {
	q := newQueue()
	put := func(key byte, envelopes, bytes int) {
		w := &work{send: &sendWork{envelopes: make([]addressed, envelopes), bytes: bytes, claim: claim{sendKey: sendKey{day: int32(key)}}}}
		w.send.device[0] = byte(len(q.waiting))
		if err := q.put(w); err != nil {
			t.Fatal(err)
		}
	}
	put(1, 1, 10)
	put(1, 1, 10) // the same key waits
	put(2, batchEnvelopes-1, 10)
	put(3, 1, 10) // no room for an envelope
	put(4, 1, batchBytes-5)
	put(5, 1, 10) // no room for a byte
	for i, want := range []int{2, 2, 1, 1} {
		batch, over := q.take()
		if len(batch) != want || over {
			t.Errorf("batch %d has %d sends, over %v; want %d", i+1, len(batch), over, want)
		}
	}
	if batch, over := q.take(); len(batch) != 0 || over || q.bytes != 0 || len(q.devices) != 0 {
		t.Errorf("%d sends and %d bytes are left", len(batch), q.bytes)
	}
	// The bound by bytes lets one in, however large, and no second.
	put(6, 1, queueBytes+1)
	if err := q.put(&work{send: &sendWork{bytes: 1}}); problem.CodeOf(err) != problem.Overloaded {
		t.Errorf("the queue takes more bytes than its bound: %v", err)
	}
	if batch, _ := q.take(); len(batch) != 1 {
		t.Errorf("the large send is in a batch of %d", len(batch))
	}
	q.close()
	if _, over := q.take(); !over {
		t.Error("a closed, empty queue is not over")
	}
}

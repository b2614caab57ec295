package mailbox

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

// watcher is an Observer that remembers.
type watcher struct {
	mu        sync.Mutex
	waiting   []int
	waited    int
	attempts  []Attempt
	read      []int
	failed    int
	delivered map[bool][]time.Duration
	expired   int
}

func (o *watcher) Taken(waiting int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, waiting)
}

func (o *watcher) Waited(time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waited++
}

func (o *watcher) Attempted(a Attempt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attempts = append(o.attempts, a)
}

func (o *watcher) PageRead(messages int, _ time.Duration, failed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if failed {
		o.failed++
		return
	}
	o.read = append(o.read, messages)
}

func (o *watcher) Delivered(lag time.Duration, live bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.delivered[live] = append(o.delivered[live], lag)
}

func (o *watcher) Expired(messages int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expired += messages
}

// sum adds up what attempts had.
func (o *watcher) sum(of func(Attempt) int) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range o.attempts {
		n += of(a)
	}
	return n
}

// outcomes counts attempts by how they ended.
func (o *watcher) outcomes() map[Outcome]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	count := map[Outcome]int{}
	for _, a := range o.attempts {
		count[a.Outcome]++
	}
	return count
}

// watched runs a test with a service that a watcher watches, over a store that may fail.
func watched(t *testing.T, test func(t *testing.T, w *world, o *watcher, f *faulty)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		o := &watcher{delivered: map[bool][]time.Duration{}}
		f := &faulty{store: newStore(db)}
		test(t, newNodeOver(t, db, f, newClock(), func(options *Options) {
			options.Observer = o
			options.Limits.MaxMessages = 3
		}), o, f)
	})
}

func TestObserver_IsToldWhatWasStoredAndWhatBecameOfIt(t *testing.T) {
	watched(t, func(t *testing.T, w *world, o *watcher, _ *faulty) {
		alice, bob, carol := w.user(1), w.user(1), w.user(2)
		w.fill(alice, bob, 2)
		w.clock.move(time.Minute)
		r := w.subscribe(bob.devices[0], nil)
		w.next(r)
		second := w.next(r)
		w.must(w.letter(alice, "x", bob, carol)) // one for Bob, two for Carol
		w.clock.move(3 * time.Second)
		w.next(r)
		again := w.letter(alice, "y", bob)
		for range 2 { // Bob's mailbox is full; what is sent again is not counted again
			if _, err := w.Send(w.ctx, again); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Acknowledge(w.ctx, bob.devices[0], second.Cursor); err != nil {
			t.Fatal(err)
		}
		w.clock.move(40 * 24 * time.Hour)
		if err := w.sweep(w.ctx); err != nil {
			t.Fatal(err)
		}

		for what, of := range map[string]struct {
			want int
			got  func(Attempt) int
		}{
			"works":        {6, func(a Attempt) int { return a.Works }},
			"envelopes":    {7, func(a Attempt) int { return a.Envelopes }},
			"accepted":     {5, func(a Attempt) int { return a.Accepted }},
			"full":         {1, func(a Attempt) int { return a.Full }},
			"acknowledged": {2, func(a Attempt) int { return a.Acknowledged }},
		} {
			if got := o.sum(of.got); got != of.want {
				t.Errorf("%s: %d, want %d", what, got, of.want)
			}
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		equal(t, "lags of what waited", o.delivered[false], []time.Duration{time.Minute, time.Minute})
		equal(t, "live lags", o.delivered[true], []time.Duration{3 * time.Second})
		equal(t, "messages in the first page", o.read[:1], []int{2})
		if o.expired != 3 || o.waited != 6 || len(o.waiting) != 6 || o.failed != 0 {
			t.Errorf("expired %d, waited %d, taken %v, failed %d", o.expired, o.waited, o.waiting, o.failed)
		}
	})
}

func TestObserver_IsToldHowTransactionsEnd(t *testing.T) {
	watched(t, func(t *testing.T, w *world, o *watcher, f *faulty) {
		alice, bob := w.user(1), w.user(1)
		f.change(func() { f.beforeCommit = times(2, fmt.Errorf("%w: deadlock", errTransient)) })
		w.fill(alice, bob, 1)
		f.change(func() { f.beforeCommit, f.afterCommit = nil, times(1, fmt.Errorf("%w: cut", errOutcomeUnknown)) })
		w.fill(alice, bob, 1)
		f.change(func() { f.afterCommit, f.beforeCommit = nil, times(1, errors.New("no such column")) })
		if _, err := w.Send(w.ctx, w.letter(alice, "x", bob)); err == nil {
			t.Error("a send got through that could not be stored")
		}
		got := o.outcomes()
		want := map[Outcome]int{OutcomeCommitted: 2, OutcomeTransient: 2, OutcomeUnknown: 1, OutcomeFailed: 1}
		if w.planner != nil {
			want[OutcomeUnplanned] = 1 // after the commit whose answer was lost its id is not new any more
		}
		for _, outcome := range Outcomes() {
			if got[outcome] != want[outcome] {
				t.Errorf("%s: %d transactions, want %d", outcome, got[outcome], want[outcome])
			}
		}
		// What was committed by a try that nobody heard of is found by the next one, and is not counted again.
		if accepted := o.sum(func(a Attempt) int { return a.Accepted }); accepted != 1 {
			t.Errorf("%d envelopes accepted", accepted)
		}
		f.change(func() {
			f.beforeCommit = nil
			f.beforePage = func() error { return fmt.Errorf("%w: gone", errTransient) }
		})
		if _, err := w.Page(w.ctx, bob.devices[0], nil, 10); err == nil {
			t.Error("a page was read from a store that is gone")
		}
		if o.failed != 1 {
			t.Errorf("%d failed reads", o.failed)
		}
	})
}

func TestObserver_SubscriptionsAreCountedWhileTheyAreOpen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		first, _ := w.subscribe(alice.devices[0], nil), w.subscribe(bob.devices[0], nil)
		if n := w.Subscriptions(); n != 2 {
			t.Errorf("%d subscriptions", n)
		}
		w.subscribe(alice.devices[0], nil) // takes over
		first.Close()
		if n := w.Subscriptions(); n != 2 {
			t.Errorf("%d subscriptions after one took over", n)
		}
	})
}

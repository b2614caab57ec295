package mailbox

import (
	"context"
	"errors"
	"math/bits"
	"time"
)

// Observer is told what a Service does, in numbers: never for whom. It is called on the way of every message, by several
// goroutines: its methods return at once.
type Observer interface {
	// Taken: the writer has taken a batch from a queue that held this many sends and acknowledgements.
	Taken(waiting int)
	// Waited: one of them had waited this long.
	Waited(d time.Duration)
	// Attempted: a transaction of the writer has ended.
	Attempted(a Attempt)
	// PageRead: a page was read from the store, or could not be.
	PageRead(messages int, took time.Duration, failed bool)
	// Delivered: a subscription was given a message, this long after it was accepted. live is false for what was accepted
	// before the subscription began.
	Delivered(lag time.Duration, live bool)
	// Expired: messages were deleted that nobody fetched in time.
	Expired(messages int)
}

// Outcome is how a transaction ended.
type Outcome string

// The outcomes.
const (
	OutcomeCommitted Outcome = "committed"
	OutcomeUnknown   Outcome = "unknown"   // the connection was lost during the commit
	OutcomeUnplanned Outcome = "unplanned" // a plan did not hold: nothing was done, and the batch is decided step by step
	OutcomeTransient Outcome = "transient" // the store failed for now: it is tried again
	OutcomeFailed    Outcome = "failed"
)

// Outcomes gives all of them.
func Outcomes() []Outcome {
	return []Outcome{OutcomeCommitted, OutcomeUnknown, OutcomeUnplanned, OutcomeTransient, OutcomeFailed}
}

// Attempt is one transaction of the writer.
type Attempt struct {
	// Works counts the sends and acknowledgements in it, Envelopes what the sends carried. A plan that did not hold counts none:
	// the attempt after it does.
	Works, Envelopes int
	Took             time.Duration
	Outcome          Outcome
	// Accepted counts the envelopes that were committed, Full those that met a full mailbox, and Acknowledged the messages
	// that were deleted.
	Accepted, Full, Acknowledged int
}

// unobserved is the Observer of a Service that has none.
type unobserved struct{}

func (unobserved) Taken(int)                         {}
func (unobserved) Waited(time.Duration)              {}
func (unobserved) Attempted(Attempt)                 {}
func (unobserved) PageRead(int, time.Duration, bool) {}
func (unobserved) Delivered(time.Duration, bool)     {}
func (unobserved) Expired(int)                       {}

// Waiting gives how many sends and acknowledgements wait for the writer.
func (s *Service) Waiting() int { return s.queue.depth() }

// Subscriptions gives how many Readers are open.
func (s *Service) Subscriptions() int { return s.readers.count() }

func (q *queue) depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

func (s *readers) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open.Len()
}

// observeTaken tells of works that the writer has just taken.
func (s *Service) observeTaken(works []*work) {
	o, now := s.options.Observer, time.Now()
	o.Taken(len(works) + s.queue.depth())
	for _, w := range works {
		o.Waited(now.Sub(w.since))
	}
}

// observeBatch tells of a batch that was decided step by step and ended with err.
func (s *Service) observeBatch(b *batch, began time.Time, err error) {
	a := attemptOf(b.works, began, err)
	if err == nil {
		a.Accepted = len(b.changes.messages)
		for i := range b.changes.full {
			for _, eight := range b.changes.full[i].bits {
				a.Full += bits.OnesCount8(eight)
			}
		}
		for _, removed := range b.claimed.removed {
			a.Acknowledged += int(removed.count)
		}
	}
	s.options.Observer.Attempted(a)
}

// observePlan tells of a plan that ended with err.
func (s *Service) observePlan(p *plan, began time.Time, err error) {
	works := p.works
	if errors.Is(err, errUnplanned) {
		works = nil
	}
	a := attemptOf(works, began, err)
	if err == nil {
		a.Accepted = len(p.envelopes)
		for _, row := range p.rows {
			a.Acknowledged += int(row.removed)
		}
	}
	s.options.Observer.Attempted(a)
}

func attemptOf(works []*work, began time.Time, err error) Attempt {
	a := Attempt{Works: len(works), Took: time.Since(began), Outcome: outcomeOf(err)}
	for _, w := range works {
		if w.send != nil {
			a.Envelopes += len(w.send.envelopes)
		}
	}
	return a
}

func outcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return OutcomeCommitted
	case errors.Is(err, errOutcomeUnknown):
		return OutcomeUnknown
	case errors.Is(err, errUnplanned):
		return OutcomeUnplanned
	case errors.Is(err, errTransient):
		return OutcomeTransient
	default:
		return OutcomeFailed
	}
}

// observedStore tells of what is read and swept.
type observedStore struct {
	store
	observer Observer
}

func (s *observedStore) page(ctx context.Context, r pageRequest) (standing, []Message, bool, error) {
	began := time.Now()
	row, messages, more, err := s.store.page(ctx, r)
	if err == nil || ctx.Err() == nil { // A caller who goes away is no failure of the store.
		s.observer.PageRead(len(messages), time.Since(began), err != nil)
	}
	return row, messages, more, err
}

func (s *observedStore) sweep(ctx context.Context, now int64, limit int) (int, error) {
	n, err := s.store.sweep(ctx, now, limit)
	s.observer.Expired(n)
	return n, err
}

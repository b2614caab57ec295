package mailbox

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/letterlock/letterlock/internal/problem"
)

// attemptTimeout bounds one transaction; the database's own timeouts are there for a node that has stopped altogether.
const attemptTimeout = 10 * time.Second

// Bounds of the pause before a batch is tried again.
const (
	firstPause   = 5 * time.Millisecond
	longestPause = 500 * time.Millisecond
)

// storeRetryAfter is how long a caller is asked to wait after the store has failed for long.
const storeRetryAfter = time.Second

// write is the writer: it takes what waits and commits it, until the queue is closed and empty or ctx ends.
func (s *Service) write(ctx context.Context) {
	for {
		select {
		case <-s.queue.ready:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			s.abandon()
			return
		}
		works, over := s.queue.take()
		if over {
			return
		}
		if len(works) > 0 {
			s.observeTaken(works)
			s.commit(ctx, works, false)
		}
	}
}

// abandon answers all that still waits when the time to stop is over.
func (s *Service) abandon() {
	s.queue.close()
	for {
		works, over := s.queue.take()
		if over {
			return
		}
		failAll(works, stopping())
	}
}

// commit runs works in one transaction and answers them: again if the store fails for now, and each alone if one of them
// makes it fail.
//
// After a COMMIT of unknown outcome the same ids run again. If the first COMMIT went through, they are remembered and the
// answer is the first one. It cannot go through later, behind our back: the first transaction holds the row locks that
// the second waits for. unknown says that there was such a COMMIT before.
func (s *Service) commit(ctx context.Context, works []*work, unknown bool) {
	pause := newPause()
	for {
		var err error
		if works, err = s.attempt(ctx, works); err == nil {
			return
		}
		unknown = unknown || errors.Is(err, errOutcomeUnknown)
		again := errors.Is(err, errTransient) || errors.Is(err, errOutcomeUnknown)
		if again {
			s.health.fails(time.Now())
		}
		switch {
		case !again && len(works) > 1:
			s.log.WarnContext(ctx, "mailbox: a batch failed and is run one by one", "size", len(works), "error", err)
			for i := range works {
				s.commit(ctx, works[i:i+1], unknown)
			}
			return
		case !again || time.Since(works[0].since) > s.options.RetryFor || !sleep(ctx, pause.NextBackOff()):
			s.log.ErrorContext(ctx, "mailbox: a batch failed", "size", len(works), "outcome_unknown", unknown, "error", err)
			failAll(works, failure(ctx, unknown, again, err))
			return
		}
		s.log.WarnContext(ctx, "mailbox: a batch is tried again", "size", len(works), "error", err)
	}
}

// attempt runs works and answers those that are committed: most of them as a plan, what does not fit one step by step. What it
// gives with an error are the works that have no answer yet.
func (s *Service) attempt(ctx context.Context, works []*work) ([]*work, error) {
	now := s.now()
	if plan, others := s.planner.split(works, s.options.Limits, now); plan != nil {
		err := s.carryOut(ctx, plan)
		switch {
		case errors.Is(err, errUnplanned):
			others = works
		case err != nil:
			return works, err
		}
		works = others
	}
	if len(works) == 0 {
		return nil, nil
	}
	return works, s.decide(ctx, works, now)
}

// carryOut commits a plan, wakes the readers and answers the callers.
func (s *Service) carryOut(ctx context.Context, plan *plan) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	began := time.Now()
	err := s.store.commitPlan(ctx, plan)
	s.observePlan(plan, began, err)
	if err != nil {
		return err
	}
	s.health.works()
	plan.recount()
	answers, hints := plan.answer()
	s.hub.Notify(hints...)
	for i, w := range plan.works {
		w.answer(answers[i])
	}
	return nil
}

// decide runs one transaction step by step and, if it commits, wakes the readers and answers the callers.
func (s *Service) decide(ctx context.Context, works []*work, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	b := &batch{limits: s.options.Limits, now: now, works: works}
	began := time.Now()
	err := b.run(ctx, s.store)
	s.observeBatch(b, began, err)
	if err != nil {
		return err
	}
	if b.writes() {
		s.health.works()
	}
	s.known.learn(b.asked, b.claimed)
	s.hub.Notify(b.wake()...)
	for i, w := range works {
		if b.putOff[w] {
			s.queue.putBack(w)
			continue
		}
		w.answer(b.answers[i])
	}
	return nil
}

// failure is the answer to those whose batch has failed for good.
func failure(ctx context.Context, unknown, again bool, cause error) error {
	switch {
	case unknown:
		return outcomeUnknown(cause)
	case again && ctx.Err() != nil:
		return stopping()
	case again:
		return storeUnavailable(cause)
	default:
		return problem.Wrap(problem.Internal, "The server could not store this. Nothing was stored.", cause)
	}
}

func failAll(works []*work, err error) {
	for _, w := range works {
		w.fail(err)
	}
}

func outcomeUnknown(cause error) error {
	return &problem.Error{
		Code: problem.OutcomeUnknown, Stored: problem.Unknown, RetryAfter: storeRetryAfter, Cause: cause,
		Message: "It could not be learnt whether this was stored. Repeat the call with the same message id.",
	}
}

func storeUnavailable(cause error) error {
	return &problem.Error{
		Code: problem.StoreUnavailable, Stored: problem.No, RetryAfter: storeRetryAfter, Cause: cause,
		Message: "The store does not answer. Nothing was stored. Try again a little later.",
	}
}

// readFailure is what a caller who reads is told about err.
func readFailure(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errTransient), errors.Is(err, errOutcomeUnknown):
		return storeUnavailable(err)
	default:
		return problem.Wrap(problem.Internal, "The server could not read the mailbox.", err)
	}
}

func newPause() *backoff.ExponentialBackOff {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = firstPause, longestPause
	return pause
}

// sleep waits, and tells whether it waited for all of d.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

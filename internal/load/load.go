// Package load is the load generator: senders and receivers that speak to a server through its public API alone, and check that
// each accepted envelope arrives exactly once, unchanged and in order. It shares the machine with what it measures, so what a
// message costs here is kept low: requests are patched, not encoded, and answers compared, not decoded.
package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Load is senders that run for a time against receivers.
type Load struct {
	Senders   []*Sender
	Receivers []*Receiver
	// Late opens the receivers only when all is sent.
	Late     bool
	Warmup   time.Duration
	Duration time.Duration
	// Envelopes ends the sending once so many were accepted, if it is not 0; Duration then does not.
	Envelopes int64
	// InFlight bounds how many accepted envelopes may be on their way to receivers, if it is not 0.
	InFlight int64
	// Held tells senders to wait, for as long as it is true; it may be nil.
	Held func() bool
	// Patience is how long a load goes on in which nothing happens; default 20 s.
	Patience time.Duration
	// Began and Ended are called when counting begins and ends.
	Began, Ended func()
}

// Result is what a Load found.
type Result struct {
	Elapsed   time.Duration
	Calls     int             // begun and answered within Elapsed
	Envelopes int             // accepted in them
	Delivered int             // received within Elapsed
	Sends     []time.Duration // call to answer
	Journeys  []time.Duration // call to receipt

	Lost, Doubled, Disorder int
}

// Breach is an error if the server broke its delivery contract.
func (r *Result) Breach() error {
	if r.Lost == 0 && r.Doubled+r.Disorder == 0 {
		return nil
	}
	return fmt.Errorf("%d lost, %d doubled, %d out of order", r.Lost, r.Doubled, r.Disorder)
}

const patience = 20 * time.Second // for what must come

// Run sends for warm-up and duration, waits until all that was accepted has arrived, and counts. Senders and receivers are
// closed afterwards. What breaks the delivery contract is an error.
func (l *Load) Run(ctx context.Context) (Result, error) {
	ctx, stop := l.watched(ctx)
	defer stop()
	defer l.closeSenders()
	var counting atomic.Bool
	var err error
	if !l.Late {
		err = l.open(ctx, counting.Load)
	}
	var elapsed time.Duration
	if err == nil {
		elapsed, err = l.send(ctx, &counting)
	}
	if err == nil && l.Late {
		err = l.open(ctx, counting.Load)
	}
	if err == nil {
		err = l.drain(ctx)
	}
	err = errors.Join(context.Cause(ctx), err, l.closeReceivers())
	r := l.tally(elapsed)
	return r, errors.Join(r.Breach(), err)
}

// watched gives a context that ends when nothing happens any more, with that as its cause. stop ends it as well.
func (l *Load) watched(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.watch(ctx, cancel)
	}()
	return ctx, func() {
		cancel(nil)
		<-done
	}
}

func (l *Load) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	bound := l.Patience
	if bound == 0 {
		bound = patience
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	last, moved := int64(-1), time.Now()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if now := l.Accepted() + l.received(); now != last {
			last, moved = now, time.Now()
		}
		if time.Since(moved) > bound {
			cancel(fmt.Errorf("nothing happens any more: %d accepted, %d received", l.Accepted(), l.received()))
			return
		}
	}
}

func (l *Load) open(ctx context.Context, counting func() bool) error {
	for _, r := range l.Receivers {
		if err := r.Open(ctx, counting); err != nil {
			return err
		}
	}
	return nil
}

// send lets all senders run, and gives how long was counted.
func (l *Load) send(ctx context.Context, counting *atomic.Bool) (time.Duration, error) {
	var stopped atomic.Bool
	over := make(chan struct{})
	sending, ctx := errgroup.WithContext(ctx)
	for _, s := range l.Senders {
		sending.Go(func() error { return l.run(s, counting, &stopped) })
	}
	var elapsed time.Duration
	timing := make(chan struct{})
	go func() {
		defer close(timing)
		elapsed = l.count(ctx, counting, over)
		stopped.Store(true)
	}()
	err := sending.Wait()
	close(over)
	<-timing
	return elapsed, err
}

// run lets one sender send until it is told to stop. The call under way is finished, so that what was accepted is known exactly.
func (l *Load) run(s *Sender, counting, stopped *atomic.Bool) error {
	for !stopped.Load() && !l.enough() {
		if l.full() {
			time.Sleep(time.Millisecond)
			continue
		}
		counted := counting.Load()
		took, err := s.Send()
		if err != nil {
			return err
		}
		if counted && counting.Load() {
			s.took = append(s.took, took)
		}
	}
	return nil
}

func (l *Load) enough() bool { return l.Envelopes > 0 && l.Accepted() >= l.Envelopes }

// full reports whether senders have to wait for receivers, or for what else.
func (l *Load) full() bool {
	return l.InFlight > 0 && l.Accepted()-l.received() > l.InFlight || l.Held != nil && l.Held()
}

// count opens the counted time after the warm-up and closes it when the time is over, or the sending.
func (l *Load) count(ctx context.Context, counting *atomic.Bool, over <-chan struct{}) time.Duration {
	wait := func(d time.Duration) bool {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return true
		case <-ctx.Done():
		case <-over:
		}
		return false
	}
	duration := l.Duration
	if l.Envelopes > 0 {
		duration = time.Duration(1<<63 - 1)
	}
	if !wait(l.Warmup) {
		return 0
	}
	if l.Began != nil {
		l.Began()
	}
	counting.Store(true)
	started := time.Now()
	wait(duration)
	counting.Store(false)
	elapsed := time.Since(started)
	if l.Ended != nil {
		l.Ended()
	}
	return elapsed
}

// Accepted gives how many envelopes were accepted so far.
func (l *Load) Accepted() (n int64) {
	for _, s := range l.Senders {
		n += s.Envelopes()
	}
	return n
}

func (l *Load) received() (n int64) {
	for _, r := range l.Receivers {
		n += r.Received()
	}
	return n
}

// linger is how long doubles are waited for when all has arrived.
const linger = 50 * time.Millisecond

// drain waits until every accepted envelope was received. It gives up with watch, or if a receiver has ended: then the tally says
// what is missing.
func (l *Load) drain(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	var complete time.Time
	for {
		switch {
		case l.failed():
			return nil
		case l.received() < l.Accepted():
			complete = time.Time{}
		case complete.IsZero():
			complete = time.Now()
		case time.Since(complete) > linger:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *Load) failed() bool {
	for _, r := range l.Receivers {
		select {
		case <-r.ended:
			return true
		default:
		}
	}
	return false
}

func (l *Load) closeSenders() {
	for _, s := range l.Senders {
		s.Close()
	}
}

func (l *Load) closeReceivers() (err error) {
	for _, r := range l.Receivers {
		err = errors.Join(err, r.Close())
	}
	return err
}

func (l *Load) tally(elapsed time.Duration) Result {
	r := Result{Elapsed: elapsed}
	for _, s := range l.Senders {
		r.Sends = append(r.Sends, s.took...)
		r.Calls += len(s.took)
		r.Envelopes += len(s.took) * s.shape.Envelopes()
	}
	for _, v := range l.Receivers {
		r.Journeys = append(r.Journeys, v.journeys...)
		r.Delivered += v.inTime
		r.Doubled += v.doubled
		r.Disorder += v.disorder
	}
	r.Lost = int(l.Accepted()-l.received()) + r.Doubled
	return r
}

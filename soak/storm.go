package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// mostOpening is how many sockets the servers of storms may open at once.
const mostOpening = 32

// stormy are the settings of servers that have a crowd: ten thousand clients that answer from one process have to have the time for it, and
// a server that stops sends them away bit by bit.
func stormy() []string {
	return []string{
		"LETTERLOCK_PING_INTERVAL=2s", "LETTERLOCK_LOOK_AGAIN=5s", "LETTERLOCK_INIT_TIMEOUT=10s", "LETTERLOCK_WRITE_TIMEOUT=10s",
		"LETTERLOCK_REQUEST_TIMEOUT=30s", "LETTERLOCK_DRAIN_DELAY=1s", fmt.Sprintf("LETTERLOCK_MAX_OPENING_SOCKETS=%d", mostOpening),
	}
}

// comeback is what one storm was like.
type comeback struct{ half, all time.Duration }

// storming ends a server over and over, killed or in order, and has its crowd come back: to itself, or to the others where there are some.
func storming(ctx context.Context, r *run) error {
	r.wait(ctx, 0, r.beat())
	r.endsInOrder = r.random.IntN(2) == 0
	for range 2 { // either way, however short the run is
		if err := r.storm(ctx); err != nil {
			return err
		}
	}
	for r.wait(ctx, r.beat(), 2*r.beat()) {
		if err := r.storm(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) storm(ctx context.Context) error {
	c, i := r.crowd, len(r.crowd.storms)%len(r.nodes)
	node, share := r.nodes[i], c.At(c.Nodes[i])
	if share == 0 {
		return errors.New("nobody of the crowd is at the server that is to end")
	}
	r.fault()
	c.Away(true)
	end := node.Kill
	if r.endsInOrder = !r.endsInOrder; r.endsInOrder {
		end = node.Stop
	}
	ends := time.Now()
	if err := end(); err != nil {
		return err
	}
	if err := r.until(fmt.Sprintf("not all have noticed that server %d is gone", i+1), func() bool { return c.At(c.Nodes[i]) == 0 }); err != nil {
		return err
	}
	began := ends
	if len(r.nodes) == 1 {
		r.wait(ctx, 0, r.beat()/4)
		began = time.Now()
		if err := node.Start(r.ctx); err != nil {
			return err
		}
		c.Away(false)
	}
	if err := r.comeBack(ends, began, (i+1)%len(r.nodes)); err != nil {
		return err
	}
	if len(r.nodes) > 1 {
		if err := node.Start(r.ctx); err != nil {
			return err
		}
		c.Away(false)
	}
	return r.restsWithCrowd()
}

// comesBackWithin is how long a whole crowd may take. It is no measure of speed: whoever is sent away comes again, and on a machine that
// does much else that takes its time.
func (r *run) comesBackWithin() time.Duration { return 2 * r.patience }

// comeBack waits until all of the crowd are live again, and have an envelope each that is sent to them meanwhile.
func (r *run) comeBack(ended, began time.Time, at int) error {
	c := r.crowd
	proclaimed := make(chan error, 1)
	go func() { proclaimed <- c.proclaim(r.ctx, c.Nodes[at], r.comesBackWithin()) }()
	err := c.Await(r.ctx, len(c.Receivers), r.comesBackWithin())
	since := slices.DeleteFunc(c.Live(), ended.After) // who was at another server stayed
	if err := errors.Join(err, <-proclaimed); err != nil {
		return fmt.Errorf("after a server had gone, not all of the crowd came back: %w", err)
	}
	if len(since) == 0 {
		return errors.New("nobody of the crowd was away")
	}
	c.storms = append(c.storms, comeback{half: since[len(since)/2].Sub(began), all: since[len(since)-1].Sub(began)})
	return nil
}

// restsWithCrowd waits until the servers have as much as before the first storm, the crowd being connected as then. Devices whose
// history is checked go on meanwhile.
func (r *run) restsWithCrowd() error {
	more := r.slack()
	more.goroutines += busyGoroutines * r.people * mostDevices
	more.files += busyFiles * r.people * mostDevices
	more.heap += busyHeap
	if words := r.awaitRest(r.crowd.rest, more); len(words) > 0 {
		return fmt.Errorf("with the crowd connected again, %s", words[0])
	}
	r.crowd.heldAfter, _ = r.memory()
	return nil
}

// What a device that works may have a server keep for it, at the most, and all of them together in the heap.
const (
	busyGoroutines = 6
	busyFiles      = 3
	busyHeap       = 24 << 20
)

// told gives in words how the storms went.
func (c *crowd) told() []string {
	if c == nil || len(c.storms) == 0 {
		return nil
	}
	sorted := func(of func(comeback) time.Duration) []time.Duration {
		var all []time.Duration
		for _, s := range c.storms {
			all = append(all, max(0, of(s)).Round(10*time.Millisecond))
		}
		slices.Sort(all)
		return all
	}
	half, all := sorted(func(s comeback) time.Duration { return s.half }), sorted(func(s comeback) time.Duration { return s.all })
	n, failures := len(all), c.Failures()
	words := []string{fmt.Sprintf("%d devices, %d storms: half of them are live again after %v (median, %v at the worst), all after %v (%v); "+
		"%d tries met no server, %d were told when to come again, %d broke off", len(c.Receivers), n, half[n/2], half[n-1], all[n/2], all[n-1],
		failures.Missed, failures.Refused, failures.Broken),
		fmt.Sprintf("with all connected the servers hold %d MB before the first storm and %d MB after the last", c.heldBefore>>20, c.heldAfter>>20)}
	reasons := c.Reasons()
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		words = append(words, fmt.Sprintf("%d broke off: %s", reasons[why], why))
	}
	return words
}

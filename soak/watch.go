package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/soak/internal/rig"
)

// rest is what servers have while they do nothing: what each may have more at the end of a run than at its start is slack.
type rest struct {
	goroutines, files int
	heap              int64 // what lives in it, in bytes
}

// slack: connections of pools stay open, and so do the caches of tokens, lists and places in mailboxes, which are bounded.
func slack() rest { return rest{goroutines: 5, files: 40, heap: 12 << 20} }

// What stays of each member of a crowd when it has gone, in bytes: docs/reliability.md says what it is. On the heap that are its places in
// caches, and Go's descriptions of the goroutines that it had; of what the process holds besides, Go's books of a heap that was larger and
// of sockets, holes in the heap, and what SQLite has read last.
const (
	keptPerMember     = 2 << 10
	residentPerMember = 5 << 10
)

// slack is that of this run.
func (r *run) slack() rest {
	s := slack()
	s.heap += keptPerMember * r.share()
	return s
}

// share is how many of the crowd a server has at the most, about: all, or what is its part while another is away.
func (r *run) share() int64 { return r.crowd.size() / int64(max(1, len(r.nodes)-1)) }

// residentSlack is how much more memory than at its start a server may hold once it had the time to give back what it does not need:
// that is the heap's slack, what is between things that live, and what SQLite and stacks keep for next time.
const residentSlack = 32 << 20

// residentSlack is that of this run.
func (r *run) residentSlack() int64 { return residentSlack + residentPerMember*r.share() }

const (
	// givesBackWithin is how long a server may take to give memory back: internal/memory waits for eight quiet seconds.
	givesBackWithin = 30 * time.Second
	// givesBackAfter is the shortest run that waits for it.
	givesBackAfter = 10 * time.Second
)

// gauges sums what all servers have.
func (r *run) gauges() (sum rest, err error) {
	for _, node := range r.nodes {
		goroutines, goroutinesErr := node.Gauge(r.ctx, rig.Goroutines)
		files, filesErr := node.Gauge(r.ctx, rig.OpenFiles)
		heap, heapErr := node.LiveHeap(r.ctx)
		if err := errors.Join(goroutinesErr, filesErr, heapErr); err != nil {
			return rest{}, err
		}
		sum = rest{sum.goroutines + goroutines, sum.files + files, sum.heap + heap}
	}
	return sum, nil
}

// awaitRest waits until the servers have let go of all that they did for devices that are gone: each may have more than while it was
// idle by so much. The heap is what lives in it after a collection: how much memory the process holds also says when it was collected
// last, and what the system asked back.
func (r *run) awaitRest(idle, more rest) []string {
	ctx, cancel := context.WithTimeout(r.ctx, r.patience)
	defer cancel()
	for {
		now, err := r.gauges()
		switch {
		case err == nil && r.rests(now, idle, more):
			return nil
		case !r.wait(ctx, 50*time.Millisecond, 100*time.Millisecond):
			return []string{fmt.Sprintf("the servers still have %v, and had %v at first (%v)", now, idle, err)}
		}
	}
}

func (r *run) rests(now, idle, more rest) bool {
	n := len(r.nodes)
	return now.goroutines <= idle.goroutines+n*more.goroutines && now.files <= idle.files+n*more.files && now.heap <= idle.heap+int64(n)*more.heap
}

func (s rest) String() string {
	return fmt.Sprintf("%d goroutines, %d open files and %d KB of live heap", s.goroutines, s.files, s.heap>>10)
}

// awaitMemory waits, after runs that were long enough, until the servers have given back what they do not need. It gives what they hold then.
func (r *run) awaitMemory(before int64) (after int64, problems []string) {
	ctx, cancel := context.WithTimeout(r.ctx, givesBackWithin)
	defer cancel()
	most := before + int64(len(r.nodes))*r.residentSlack()
	for {
		after, _ = r.memory()
		switch {
		case after <= most || r.duration < givesBackAfter:
			return after, nil
		case !r.wait(ctx, 100*time.Millisecond, 200*time.Millisecond):
			return after, []string{fmt.Sprintf("the servers hold %d MB %v after all had become quiet, and held %d MB at first", after>>20, givesBackWithin, before>>20)}
		}
	}
}

// memory sums what the servers hold now, and the most that they have held.
func (r *run) memory() (now, peak int64) {
	for _, node := range r.nodes {
		n, p := node.Memory()
		now, peak = now+n, peak+p
	}
	return now, peak
}

// watchMemory looks at the servers' memory until its result is called, which gives what it was at the peak.
func (r *run) watchMemory() func() (peak int64) {
	_, peak := r.memory()
	ctx, cancel := context.WithCancel(r.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(200 * time.Millisecond); ; {
			select {
			case <-tick.C:
				_, p := r.memory()
				peak = max(peak, p)
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
	}()
	return func() int64 {
		cancel()
		<-done
		_, p := r.memory()
		return max(peak, p)
	}
}

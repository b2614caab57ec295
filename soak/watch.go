package main

import (
	"context"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/soak/internal/rig"
)

// slack gives how much more than at its start an idle server may have: connections of its pools stay open.
func slack() map[string]int { return map[string]int{rig.Goroutines: 5, rig.OpenFiles: 40} }

// gauges sums what all servers have.
func (r *run) gauges() (map[string]int, error) {
	sums := map[string]int{}
	for name := range slack() {
		for _, node := range r.nodes {
			n, err := node.Gauge(r.ctx, name)
			if err != nil {
				return nil, err
			}
			sums[name] += n
		}
	}
	return sums, nil
}

// awaitRest waits until the servers have let go of all that they did for the devices, which are gone.
func (r *run) awaitRest(idle map[string]int) []string {
	ctx, cancel := context.WithTimeout(r.ctx, r.patience)
	defer cancel()
	for {
		now, err := r.gauges()
		switch {
		case err == nil && r.rests(now, idle):
			return nil
		case !r.wait(ctx, 20*time.Millisecond, 50*time.Millisecond):
			return []string{fmt.Sprintf("the servers still have %v, and had %v at first (%v)", now, idle, err)}
		}
	}
}

func (r *run) rests(now, idle map[string]int) bool {
	for name, more := range slack() {
		if now[name] > idle[name]+more*len(r.nodes) {
			return false
		}
	}
	return true
}

// watchMemory looks at the servers' memory until its result is called, which gives what it was at first, at the peak, and now.
func (r *run) watchMemory() func() (before, peak, after int64) {
	sum := func() (now, peak int64) {
		for _, node := range r.nodes {
			n, p := node.Memory()
			now, peak = now+n, peak+p
		}
		return now, peak
	}
	before, peak := sum()
	ctx, cancel := context.WithCancel(r.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(200 * time.Millisecond); ; {
			select {
			case <-tick.C:
				_, p := sum()
				peak = max(peak, p)
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
	}()
	return func() (int64, int64, int64) {
		cancel()
		<-done
		after, p := sum()
		return before, max(peak, p), after
	}
}

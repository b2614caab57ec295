package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// slack is how many goroutines more than at its start an idle server may have.
const slack = 5

// goroutines sums those of all servers.
func (r *run) goroutines() (sum int, err error) {
	for _, node := range r.nodes {
		n, nodeErr := node.Goroutines(r.ctx)
		sum, err = sum+n, errors.Join(err, nodeErr)
	}
	return sum, err
}

// awaitRest waits until the servers have let go of all that they did for the devices, which are gone.
func (r *run) awaitRest(idle int) []string {
	ctx, cancel := context.WithTimeout(r.ctx, r.patience)
	defer cancel()
	for {
		now, err := r.goroutines()
		switch {
		case err == nil && now <= idle+slack*len(r.nodes):
			return nil
		case !r.wait(ctx, 20*time.Millisecond, 50*time.Millisecond):
			return []string{fmt.Sprintf("%d goroutines are left where %d were at first (%v)", now, idle, err)}
		}
	}
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

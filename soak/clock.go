package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// farthest bounds how far the clock goes to either side. From one side to the other no message id is seven days old, when it is
// forgotten, and no message thirty, when it expires: nothing that is owed may go.
const farthest = 3 * 24 * time.Hour

// movingClock sets the server's clock, back and forth.
func movingClock(ctx context.Context, r *run) error {
	node := r.nodes[0]
	for r.wait(ctx, r.beat()/4, r.beat()) {
		r.fault()
		most := []time.Duration{time.Minute, 12 * time.Hour, farthest}[r.random.IntN(3)]
		if err := node.SetClock(time.Duration(r.random.Int64N(2*int64(most))) - most); err != nil {
			return errors.Join(err, node.Alive())
		}
	}
	return node.SetClock(0)
}

// idleShare is how much a server may work while devices only listen, of what a thread works that does nothing else: on a busy machine such
// a thread gets as little as a timer that goes round.
const idleShare = 0.1

// idlesAfterJumps has the clock jump while all devices only listen: everything is due at once, or nothing will be for days. Each time the
// server has to idle, once devices that were sent away have come back.
func (r *run) idlesAfterJumps(ctx context.Context) error {
	for _, ahead := range []time.Duration{farthest, -farthest, 0} {
		if err := r.nodes[0].SetClock(ahead); err != nil {
			return errors.Join(err, r.nodes[0].Alive())
		}
		if err := r.idles(ctx); err != nil {
			return fmt.Errorf("after the clock has jumped to be %v ahead: %w", ahead, err)
		}
	}
	return nil
}

// idles waits for a while in which the server does next to nothing.
func (r *run) idles(ctx context.Context) error {
	length := min(time.Second, r.duration/6)
	for end := time.Now().Add(r.patience); ; {
		before, err := r.nodes[0].CPU()
		if err != nil {
			return err
		}
		most := busy(ctx, length)
		after, err := r.nodes[0].CPU()
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		share := float64(after-before) / float64(most)
		if share < idleShare {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("the server is never idle within %v, and takes %.2f of a thread", r.patience, share)
		}
	}
}

// busy works until it got to work for so long, and tells for how long it did. That is no time by the clock: on a busy machine everybody has
// to have had their turns.
func busy(ctx context.Context, length time.Duration) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadTime()
	for ctx.Err() == nil {
		if worked := threadTime() - before; worked >= length {
			return worked
		}
	}
	return length
}

func threadTime() time.Duration {
	const thread = 1 // Linux alone has it, and its name
	var usage syscall.Rusage
	if err := syscall.Getrusage(thread, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

package main

import (
	"context"
	"errors"
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

package main

import (
	"context"
	"time"
)

// The stores.
const (
	sqlite     = "SQLite"
	postgresql = "PostgreSQL"
)

// scenario is one kind of trouble.
type scenario struct {
	name   string
	about  string
	nodes  int
	stores []string
	// trouble is made until ctx ends; then all is as it was.
	trouble func(context.Context, *run) error
}

var both = []string{sqlite, postgresql}

// scenarios gives all of them, in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		{"calm", "nothing happens to the server", 1, both, calm},
		{"kill", "the server is killed (SIGKILL) and started again", 1, both, killing},
		{"freeze", "the server stands still (SIGSTOP) for longer than clients wait", 1, both, freezing},
	}
}

func calm(ctx context.Context, _ *run) error {
	<-ctx.Done()
	return nil
}

// killing ends a node at any moment, and starts it again.
func killing(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat(), 2*r.beat()) {
		node := r.anyNode()
		r.fault()
		if err := node.Kill(); err != nil {
			return err
		}
		r.wait(ctx, 0, r.beat()/4)
		if err := node.Start(r.ctx); err != nil {
			return err
		}
	}
	return nil
}

// longFreeze is longer than the timeouts of transactions that are under way.
const longFreeze = 11 * time.Second

// freezing has a node stand still for longer than clients wait for an answer; in long runs now and then for longer than anything
// waits, in the server and in PostgreSQL.
func freezing(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat()/2, r.beat()) {
		node, still := r.anyNode(), callTimeout*5/4
		if r.duration > 10*longFreeze && r.random.IntN(4) == 0 {
			still = longFreeze
		}
		r.fault()
		if err := node.Freeze(); err != nil {
			return err
		}
		r.wait(ctx, still, still*5/4)
		if err := node.Thaw(); err != nil {
			return err
		}
	}
	return nil
}

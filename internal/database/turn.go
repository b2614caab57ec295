package database

import (
	"context"
	"fmt"
	"sync"
)

// WriteTurn waits for the turn to write and gives the function that ends it. Take it around every transaction that writes.
//
// SQLite lets one transaction write at a time, and whoever finds it busy sleeps and tries again: beside a writer that is
// never idle, that takes seconds or for ever. Turns are first come, first served within this process; between processes
// SQLite decides. PostgreSQL locks rows, in order, and has no turns.
func (db *DB) WriteTurn(ctx context.Context) (end func(), err error) {
	if db.turn == nil {
		return func() {}, nil
	}
	select {
	case db.turn <- struct{}{}:
		return sync.OnceFunc(func() { <-db.turn }), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the turn to write: %w", context.Cause(ctx))
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// watch is what PostgreSQL says of itself between begin and end: what it writes to its log and, if it is asked for, what its connections
// wait for. Each look is a small query on a connection of its own.
type watch struct {
	ctx     context.Context
	conn    *pgx.Conn
	looking bool

	written float64 // bytes of log
	waits   waits
	stop    context.CancelFunc
	looked  chan struct{}
	err     error
}

// waits counts connections that were at work, over all looks.
type waits struct{ looks, busy, locks, log float64 }

const lookEvery = 20 * time.Millisecond

// watched watches a world's PostgreSQL; nil for SQLite. It is closed by close.
func (w *world) watched(ctx context.Context, looking bool) (*watch, error) {
	if w.store.database == "" {
		return nil, nil
	}
	conn, err := pgx.Connect(ctx, w.store.database)
	if err != nil {
		return nil, err
	}
	return &watch{ctx: ctx, conn: conn, looking: looking, stop: func() {}}, nil
}

func (w *watch) close() error {
	if w == nil {
		return nil
	}
	return errors.Join(w.err, w.conn.Close(context.WithoutCancel(w.ctx)))
}

// begin begins to watch.
func (w *watch) begin() {
	if w == nil {
		return
	}
	w.written = -w.position()
	if !w.looking {
		return
	}
	var ctx context.Context
	ctx, w.stop = context.WithCancel(w.ctx)
	w.looked = make(chan struct{})
	go func() {
		defer close(w.looked)
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.look()
			case <-ctx.Done():
				return
			}
		}
	}()
}

// end ends what begin began.
func (w *watch) end() {
	if w == nil {
		return
	}
	w.stop()
	if w.looked != nil {
		<-w.looked
	}
	w.written += w.position()
}

// position is how far the log has come, for all databases: nobody else writes there meanwhile.
func (w *watch) position() (bytes float64) {
	w.note(w.conn.QueryRow(w.ctx, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8").Scan(&bytes))
	return bytes
}

// look counts who is at work, and what for each waits.
func (w *watch) look() {
	var busy, locks, log float64
	w.note(w.conn.QueryRow(w.ctx, `SELECT count(*)::float8, count(*) FILTER (WHERE wait_event_type = 'Lock')::float8,
		count(*) FILTER (WHERE wait_event IN ('WALSync', 'WalSync', 'WALWrite', 'WalWrite'))::float8 FROM pg_stat_activity
		WHERE datname = current_database() AND backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()`).Scan(&busy, &locks, &log))
	w.waits.looks++
	w.waits.busy += busy
	w.waits.locks += locks
	w.waits.log += log
}

func (w *watch) note(err error) {
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("ask PostgreSQL how it is: %w", err)
	}
}

// each adds to a sample what was seen, for n of something.
func (w *watch) each(s *sample, what string, n int) {
	if w == nil || n == 0 {
		return
	}
	s.add("log", "write-ahead log per "+what, memory, w.written/float64(n))
	if w.waits.looks == 0 {
		return
	}
	s.add("busy", "connections at work in PostgreSQL, on average", decimal, w.waits.busy/w.waits.looks)
	if w.waits.busy > 0 {
		s.add("locks", "of these, waiting for a lock that another holds", share, w.waits.locks/w.waits.busy)
		s.add("log_waits", "of these, waiting for the log", share, w.waits.log/w.waits.busy)
	}
}

// Package mailbox is the delivery contract of the design, over SQLite and PostgreSQL: what Send has acknowledged is
// delivered once and in order, through any crash, until the device acknowledges it, lets it expire, or is removed.
//
// Each Service has one writer. It takes the sends and acknowledgements that wait and runs them in one transaction, so that
// they share a commit; what fails fails alone. PostgreSQL is asked in one round trip (plan), as long as all goes as expected. Any number of Services, on any number of nodes, work on one database: what
// is decided, is decided under the row lock of a mailbox, and locks are taken in the order of mailbox ids.
package mailbox

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
)

// Service is the delivery contract over one database. Its methods are safe for concurrent use. What they expect to fail
// is a *problem.Error.
type Service struct {
	options Options
	log     *slog.Logger
	hub     Hub
	dialect database.Dialect
	store   store
	queue   *queue
	known   *known
	health  health
	// planner is nil where there are no round trips to save.
	planner *planner
	readers readers

	// ctx is the service's own: no caller's end cuts a transaction off.
	ctx     context.Context
	cancel  context.CancelFunc
	writing sync.WaitGroup
	tending sync.WaitGroup
	stop    chan struct{}
	stopped sync.Once
	closed  sync.Once
}

// leastConnections leaves some for readers beside the one that the writer keeps.
const leastConnections = 4

// New starts a Service on a database. It runs until Close.
func New(ctx context.Context, db *database.DB, options Options) (*Service, error) {
	if db.Pool != nil && db.Pool.Config().MaxConns < leastConnections {
		return nil, fmt.Errorf("the mailboxes need %d database connections at least: raise pool_max_conns in the database URL", leastConnections)
	}
	return start(ctx, db.Dialect, newStore(db), options)
}

func newStore(db *database.DB) store {
	if db.Dialect == database.PostgreSQL {
		return newPostgresStore(db.Pool)
	}
	return newSQLiteStore(db)
}

// start is New over any store.
func start(ctx context.Context, dialect database.Dialect, store store, options Options) (*Service, error) {
	options = options.withDefaults()
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Service{
		options: options, log: options.Logger, hub: options.Hub, dialect: dialect, store: &observedStore{store, options.Observer},
		queue: newQueue(), known: newKnown(),
		ctx: own, cancel: cancel, stop: make(chan struct{}),
	}
	if dialect == database.PostgreSQL {
		s.planner = newPlanner(s.known)
	}
	if err := s.keepDays(ctx); err != nil {
		cancel()
		store.close()
		return nil, fmt.Errorf("prepare the store for new messages: %w", err)
	}
	s.writing.Go(func() { s.write(own) })
	s.tending.Go(func() { s.every(options.LookAgain, s.lookAgain) })
	s.tending.Go(func() { s.every(options.SweepEvery, s.tidy) })
	return s, nil
}

// Close refuses new work with STOPPING, commits and answers what waits, and ends all readers with STOPPING. If ctx ends
// before, what still waits is answered with STOPPING, or with OUTCOME_UNKNOWN where a commit was on its way, and Close
// gives ctx's error. When it returns no goroutine of the Service is left. Calling it again waits likewise.
func (s *Service) Close(ctx context.Context) error {
	s.queue.close()
	s.stopped.Do(func() { close(s.stop) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.writing.Wait()
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.readers.close(problem.New(problem.Stopping, "The server is stopping. Reconnect."))
	s.cancel()
	<-done
	s.tending.Wait()
	s.closed.Do(s.store.close)
	return err
}

// now is the clock in the precision of the store.
func (s *Service) now() time.Time { return s.options.Now().UTC().Truncate(time.Microsecond) }

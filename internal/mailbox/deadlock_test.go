package mailbox

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

// pgDeadlock is the SQLSTATE of a transaction that PostgreSQL ends because it and others wait for one another.
const pgDeadlock = "40P01"

// Nodes lock mailboxes in one order and cannot meet in a deadlock. Somebody at the database can: whoever repairs rows by hand. A batch
// that is chosen to give way is tried again, and all of it is stored once.
func TestWritePath_ADeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	t.Run("step by step", func(t *testing.T) { deadlock(t, 0) })
	t.Run("planned", func(t *testing.T) { deadlock(t, 1) }) // mailboxes that were met before
}

func deadlock(t *testing.T, before int) {
	t.Helper()
	t.Parallel()
	config := testdb.Config(t, database.PostgreSQL)
	config.URL += "&deadlock_timeout=2s"
	db := testdb.OpenConfig(t, config)
	told := &telling{store: newStore(db), codes: map[string]int{}}
	w := newNodeOver(t, db, told, newClock())
	alice, bob, carol := w.user(1), w.user(1), w.user(1)
	for range before {
		w.must(w.letter(alice, "before", bob, carol))
	}
	send := w.letter(alice, "x", bob, carol)
	// Whoever finds the deadlock gives way. It is to be the batch, which looks once, two seconds after it began to wait.
	other := begin(t, w, `SET LOCAL deadlock_timeout = '1min'`)
	lockMailbox(t, w, other, carol)
	answers := make(chan Receipt, 1)
	go func() { answers <- w.must(send) }()
	waitFor(t, "the batch to wait for the last mailbox", w.waitsForLock)
	lockMailbox(t, w, other, bob) // which the batch has locked
	if err := other.Commit(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.again(send, <-answers)
	if told.count(pgDeadlock) == 0 {
		t.Error("there was no deadlock, and the test shows nothing")
	}
	for _, u := range []*user{bob, carol} {
		equal(t, "numbers", numbers(w.waiting(u.devices[0])), upTo(before+1))
	}
	if got := w.status(alice.devices[0]).Accepted; got != int64(2*(before+1)) {
		t.Errorf("acceptedCount is %d, want %d", got, 2*(before+1))
	}
}

// begin begins a transaction beside those of the service.
func begin(t *testing.T, w *world, first string) pgx.Tx {
	t.Helper()
	tx, err := w.db.Pool.Begin(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(w.ctx) })
	if _, err := tx.Exec(w.ctx, first); err != nil {
		t.Fatal(err)
	}
	return tx
}

func lockMailbox(t *testing.T, w *world, tx pgx.Tx, u *user) {
	t.Helper()
	if _, err := tx.Exec(w.ctx, `SELECT id FROM mailboxes WHERE device_id = $1 FOR UPDATE`, u.devices[0].String()); err != nil {
		t.Fatal(err)
	}
}

// waitsForLock tells whether somebody at the database does.
func (w *world) waitsForLock() bool {
	var waiting int
	err := w.db.Pool.QueryRow(w.ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
	return err == nil && waiting > 0
}

// telling is a store that tells how its transactions failed.
type telling struct {
	store
	mu    sync.Mutex
	codes map[string]int // SQLSTATEs
}

func (s *telling) commitPlan(ctx context.Context, p *plan) error {
	return s.tell(s.store.commitPlan(ctx, p))
}

func (s *telling) begin(ctx context.Context, r request) (transaction, *claimed, error) {
	tx, found, err := s.store.begin(ctx, r)
	return tx, found, s.tell(err)
}

func (s *telling) tell(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.codes[e.Code]++
	}
	return err
}

// count gives how many ended with a SQLSTATE.
func (s *telling) count(code string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.codes[code]
}

package mailbox

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

// broken runs a test with a service whose store fails on purpose.
func broken(t *testing.T, test func(t *testing.T, w *world, f *faulty)) {
	t.Helper()
	t.Parallel()
	brokenWay(t, false, test)
}

// brokenBothWays is broken over both ways to read.
func brokenBothWays(t *testing.T, test func(t *testing.T, w *world, f *faulty)) {
	t.Helper()
	t.Parallel()
	eachWay(t, func(t *testing.T, polls bool) { brokenWay(t, polls, test) })
}

func brokenWay(t *testing.T, polls bool, test func(t *testing.T, w *world, f *faulty)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		f := &faulty{store: newStore(db)}
		w := newNodeOver(t, db, f, newClock(), shortRetries)
		w.polls = polls
		test(t, w, f)
	})
}

// shortRetries is for tests that wait until the service gives up.
func shortRetries(o *Options) { o.RetryFor = 300 * time.Millisecond }

// times fails n times with err.
func times(n int, err error) func(*changes) error {
	return func(*changes) error {
		if n--; n < 0 {
			return nil
		}
		return err
	}
}

func TestWritePath_ACommitWhoseAnswerIsLostIsStoredOnce(t *testing.T) {
	brokenBothWays(t, func(t *testing.T, w *world, f *faulty) {
		alice, bob, carol := w.user(1), w.user(1), w.user(1)
		r := w.subscribe(bob.devices[0], nil)
		w.nothing(r)
		f.change(func() { f.afterCommit = times(1, fmt.Errorf("%w: cut", errOutcomeUnknown)) })
		send := w.letter(alice, "x", bob, carol)
		first := w.must(send)
		// The reader is woken although the message was committed by a try that nobody heard of.
		if m := w.next(r); m.MessageID != send.MessageID || m.Number != 1 {
			t.Errorf("the reader got number %d", m.Number)
		}
		w.nothing(r)
		w.again(send, first)
		equal(t, "numbers", numbers(w.waiting(carol.devices[0])), upTo(1))
		if got := w.status(alice.devices[0]).Accepted; got != 2 {
			t.Errorf("acceptedCount is %d, want 2", got)
		}
	})
}

func TestWritePath_AnUnknownOutcomeThatStaysUnknownSaysSo(t *testing.T) {
	broken(t, func(t *testing.T, w *world, f *faulty) {
		alice, bob := w.user(1), w.user(1)
		for name, committed := range map[string]bool{"committed": true, "not committed": false} {
			unknown := times(1, fmt.Errorf("%w: cut", errOutcomeUnknown))
			f.change(func() {
				// After the first COMMIT the store is gone.
				gone := false
				f.afterCommit, f.beforeCommit = nil, nil
				lose := func(c *changes) error {
					gone = true
					return unknown(c)
				}
				if committed {
					f.afterCommit = lose
				} else {
					f.beforeCommit = lose
				}
				f.beforeBegin = func(request) error {
					if gone {
						return fmt.Errorf("%w: gone", errTransient)
					}
					return nil
				}
			})
			send := w.letter(alice, name, bob)
			_, err := w.Send(w.ctx, send)
			refused(t, err, problem.OutcomeUnknown)
			// The store is back: the caller repeats, and the message is there once.
			f.change(func() { f.beforeBegin, f.beforeCommit, f.afterCommit = nil, nil, nil })
			w.must(send)
		}
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(2))
	})
}

func TestWritePath_AStoreThatFailsForAMomentIsTriedAgain(t *testing.T) {
	broken(t, func(t *testing.T, w *world, f *faulty) {
		alice, bob := w.user(1), w.user(1)
		f.change(func() { f.beforeCommit = times(3, fmt.Errorf("%w: deadlock", errTransient)) })
		w.fill(alice, bob, 1)
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(1))
	})
}

func TestWritePath_AStoreThatIsGoneFailsWithinBounds(t *testing.T) {
	broken(t, func(t *testing.T, w *world, f *faulty) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 1)
		cursor := w.cursor(bob, 1)
		f.change(func() { f.beforeBegin = func(request) error { return fmt.Errorf("%w: gone", errTransient) } })
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				_, err := w.Send(w.ctx, w.letter(alice, "x", bob))
				var p *problem.Error
				if !errors.As(err, &p) || p.Code != problem.StoreUnavailable || p.Stored != problem.No || p.RetryAfter <= 0 {
					t.Errorf("got %v", err)
				}
			})
		}
		_, err := w.Acknowledge(w.ctx, bob.devices[0], cursor)
		refused(t, err, problem.StoreUnavailable)
		wait.Wait()
		f.change(func() { f.beforeBegin = nil })
		w.fill(alice, bob, 1)
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(2))
	})
}

// A send that the database will not take fails alone; those that shared its batch are stored.
func TestWritePath_WhatFailsFailsAlone(t *testing.T) {
	broken(t, func(t *testing.T, w *world, f *faulty) {
		alice, mallory, bob := w.user(1), w.user(1), w.user(1)
		poison := w.letter(mallory, "poison", bob)
		defect := errors.New("value out of range")
		started, open := make(chan struct{}), make(chan struct{})
		var once sync.Once
		f.change(func() {
			f.beforeBegin = func(request) error {
				once.Do(func() {
					close(started)
					<-open
				})
				return nil
			}
			f.beforeCommit = func(c *changes) error {
				for i := range c.messages {
					if c.messages[i].MessageID == poison.MessageID {
						return defect
					}
				}
				return nil
			}
		})
		var wait sync.WaitGroup
		wait.Go(func() { w.fill(alice, bob, 1) })
		<-started
		for range 10 {
			wait.Go(func() { w.fill(alice, bob, 1) })
		}
		wait.Go(func() {
			_, err := w.Send(w.ctx, poison)
			var p *problem.Error
			if !errors.As(err, &p) || p.Code != problem.Internal || p.Stored != problem.No || !errors.Is(err, defect) {
				t.Errorf("the poisoned send got %v", err)
			}
		})
		waitFor(t, "all to queue", func() bool {
			w.queue.mu.Lock()
			defer w.queue.mu.Unlock()
			return len(w.queue.waiting) == 11
		})
		close(open)
		wait.Wait()
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(11))
	})
}

func TestReader_OutlivesAStoreThatFailsForAMoment(t *testing.T) {
	brokenBothWays(t, func(t *testing.T, w *world, f *faulty) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 2)
		r := w.subscribe(bob.devices[0], nil)
		left := 1
		f.change(func() {
			f.beforePage = func() error {
				if left--; left < 0 {
					return nil
				}
				return fmt.Errorf("%w: restarting", errTransient)
			}
		})
		for _, want := range upTo(2) {
			if got := w.next(r).Number; got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		}
	})
}

func TestReader_EndsIfTheStoreStaysAway(t *testing.T) {
	brokenBothWays(t, func(t *testing.T, w *world, f *faulty) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 1)
		r := w.subscribe(bob.devices[0], nil)
		f.change(func() { f.beforePage = func() error { return fmt.Errorf("%w: gone", errTransient) } })
		_, err := w.patient(r)
		refused(t, err, problem.StoreUnavailable)
		f.change(func() { f.beforePage = nil })
		_, err = w.patient(r)
		refused(t, err, problem.StoreUnavailable)
	})
}

// Connections are killed under load, at whatever point they are: nothing that was answered is lost, nothing is there twice.
func TestWritePath_KilledConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Open(t, database.PostgreSQL))
	const senders, each = 8, 60
	bob := w.user(1)
	r := w.subscribe(bob.devices[0], nil)
	// A handle of its own, so that the pool's connections are all somebody else's.
	killer := testdb.Reopen(t, w.db)
	killed := 0
	kill := func() {
		n, err := affected(killer.SQL.ExecContext(w.ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()`))
		if err != nil {
			t.Fatal(err)
		}
		killed += n
	}
	var wait sync.WaitGroup
	lockMailbox(t, w, begin(t, w, `SELECT 1`), bob)
	for _, sender := range w.users(senders) {
		wait.Go(func() { w.fill(sender, bob, each) })
	}
	waitFor(t, "the writer to be at work", w.waitsForLock)
	kill() // it, and who holds the lock
	if killed < 2 {
		t.Fatalf("%d connections were killed, want both", killed)
	}
	for want := int64(1); want <= senders*each; want++ {
		if want%12 == 0 {
			kill()
			w.lookAgain(w.ctx)
		}
		if got := w.next(r).Number; got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
	wait.Wait()
	equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(senders*each))
}

func TestWritePath_ErrorsOfPostgreSQLAreSorted(t *testing.T) {
	db := testdb.Open(t, database.PostgreSQL)
	conn, err := db.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	s := newPostgresStore(db.Pool)
	s.days[1] = true
	for name, c := range map[string]struct {
		err               *pgconn.PgError
		committing        bool
		transient, unsure bool
	}{
		"deadlock":                      {&pgconn.PgError{Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "40P01"}, false, true, false},
		"lock timeout":                  {&pgconn.PgError{Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "55P03"}, false, true, false},
		"statement timeout in a commit": {&pgconn.PgError{Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "57014"}, true, true, false},
		"disk full":                     {&pgconn.PgError{Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "53100"}, true, true, false},
		"terminated":                    {&pgconn.PgError{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P01"}, false, true, false},
		"terminated in a commit":        {&pgconn.PgError{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P01"}, true, false, true},
		"a value out of range":          {&pgconn.PgError{Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "22003"}, true, false, false},
		"no partition":                  {&pgconn.PgError{Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "23514", TableName: "sends"}, false, true, false},
	} {
		got := s.failure(conn.Conn(), c.err, c.committing)
		if errors.Is(got, errTransient) != c.transient || errors.Is(got, errOutcomeUnknown) != c.unsure || !errors.Is(got, c.err) {
			t.Errorf("%s: sorted as %v", name, got)
		}
	}
	if len(s.days) != 0 {
		t.Error("a missing partition is still believed to be there")
	}
}

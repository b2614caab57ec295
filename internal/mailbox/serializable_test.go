package mailbox

import (
	"errors"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

// Databases that are spread over machines are serializable, or hand out serialization failures at least (docs/scaling.md). Nodes
// whose batches meet there try again, and the contract holds as before.
func TestSerializable_NodesThatMeetTryAgain(t *testing.T) {
	t.Parallel()
	config := testdb.Config(t, database.PostgreSQL)
	config.URL += "&default_transaction_isolation=serializable"
	w := newWorld(t, testdb.OpenConfig(t, config))
	if level := isolation(t, w); level != "serializable" {
		t.Fatalf("transactions are %s", level)
	}
	people := w.users(3)
	const each = 15
	var wait sync.WaitGroup
	for _, node := range []*world{w, w.node()} {
		if level := isolation(t, node); level != "serializable" {
			t.Fatalf("transactions are %s", level)
		}
		for i, from := range people {
			wait.Go(func() {
				for range each {
					node.insist(node.letter(from, "x", people[(i+1)%len(people)]))
				}
			})
		}
	}
	wait.Wait()
	for _, u := range people {
		equal(t, "numbers", numbers(w.waiting(u.devices[0])), upTo(2*each))
		if got := w.status(u.devices[0]).Accepted; got != 2*each {
			t.Errorf("%d were accepted, want %d", got, 2*each)
		}
	}
}

// A row that was changed while a batch waited for it fails the batch, which is run again unchanged.
func TestSerializable_ABatchThatLosesIsRunAgain(t *testing.T) {
	t.Parallel()
	config := testdb.Config(t, database.PostgreSQL)
	config.URL += "&default_transaction_isolation=serializable"
	db := testdb.OpenConfig(t, config)
	f := &faulty{store: newStore(db)}
	w := newNodeOver(t, db, f, newClock())
	alice, bob := w.user(1), w.user(1)
	w.fill(alice, bob, 1)
	f.mu.Lock()
	before := f.tried
	f.mu.Unlock()

	other, err := db.Pool.Begin(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback(w.ctx) }()
	if _, err := other.Exec(w.ctx, `UPDATE mailboxes SET expired_count = expired_count + 1`); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := w.Send(w.ctx, w.letter(alice, "x", bob))
		sent <- err
	}()
	waitFor(t, "the batch to wait for the row", w.waitsForLock)
	if err := other.Commit(w.ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	tries := f.tried - before
	f.mu.Unlock()
	if tries < 2 {
		t.Errorf("the batch was tried %d times: nothing was lost, and the test shows nothing", tries)
	}
	equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(2))
}

// insist sends the same until it is stored, as a client does that is told to come again.
func (w *world) insist(send Send) {
	for {
		_, err := w.Send(w.ctx, send)
		var p *problem.Error
		if errors.As(err, &p) && (p.Code == problem.StoreUnavailable || p.Code == problem.OutcomeUnknown) {
			continue
		}
		if err != nil {
			w.t.Errorf("Send: %v", err)
		}
		return
	}
}

func isolation(t *testing.T, w *world) (level string) {
	t.Helper()
	if err := w.db.Pool.QueryRow(w.ctx, `SHOW default_transaction_isolation`).Scan(&level); err != nil {
		t.Fatal(err)
	}
	return level
}

package mailbox

import (
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

func (w *world) days() (attached, tables int) {
	w.t.Helper()
	list, err := listDays(w.ctx, w.db.Pool)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, day := range list {
		if day.attached && !day.pending {
			attached++
		}
	}
	return attached, len(list)
}

// Two nodes make and drop partitions at once, while messages are sent, as the days go by.
func TestContract2_PartitionsComeAndGoUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Open(t, database.PostgreSQL))
	nodes := []*world{w, w.node()}
	bob := w.user(1)
	const senders, days = 6, 12
	moved := make(chan struct{})
	var wait sync.WaitGroup
	var sent [senders]int
	for i, sender := range w.users(senders) {
		wait.Go(func() {
			for {
				nodes[i%2].fill(sender, bob, 1)
				sent[i]++
				select {
				case <-moved:
					return
				default:
				}
			}
		})
	}
	for range days {
		w.clock.move(24 * time.Hour)
		var tidying sync.WaitGroup
		for _, node := range nodes {
			tidying.Go(func() {
				if err := node.keepDays(w.ctx); err != nil {
					t.Errorf("keepDays: %v", err)
				}
			})
		}
		tidying.Wait()
	}
	close(moved)
	wait.Wait()
	// The last round may have met the other node at work; one more leaves exactly the days that are kept, today and tomorrow.
	if err := w.keepDays(w.ctx); err != nil {
		t.Fatal(err)
	}
	attached, tables := w.days()
	if want := daysKept + 2; attached > want || tables != attached {
		t.Errorf("%d partitions and %d tables are left, want at most %d", attached, tables, want)
	}
	total := 0
	for _, n := range sent {
		total += n
	}
	if got := w.status(bob.devices[0]).Waiting; got != int64(total) {
		t.Errorf("%d of %d messages are there", got, total)
	}
}

// What a node leaves that dies while it drops a partition, the next one clears away.
func TestContract2_HalfDroppedPartitionsAreDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Open(t, database.PostgreSQL))
	_, before := w.days()
	for _, statement := range []string{
		`CREATE TABLE sends_7 (LIKE sends INCLUDING ALL)`, // detached, not dropped
		`CREATE TABLE sends_8 PARTITION OF sends FOR VALUES IN (8)`,
		`CREATE TABLE sends_9 PARTITION OF sends FOR VALUES IN (9)`,
		`CREATE TABLE sends_notaday (a int)`, // not ours
	} {
		if _, err := w.db.SQL.ExecContext(w.ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	w.halfDetach("sends_9")
	if err := w.keepDays(w.ctx); err != nil {
		t.Fatal(err)
	}
	if attached, tables := w.days(); tables != before || attached != before {
		t.Errorf("%d partitions and %d tables are left, want %d", attached, tables, before)
	}
	var n int
	if err := w.db.SQL.QueryRowContext(w.ctx, `SELECT count(*) FROM sends_notaday`).Scan(&n); err != nil {
		t.Errorf("a table that is no partition was dropped: %v", err)
	}
}

// One that is still needed, half dropped by a node with a wrong clock, keeps what it holds.
func TestContract2_AHalfDroppedPartitionThatIsNeededIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Open(t, database.PostgreSQL))
	alice, bob := w.user(1), w.user(1)
	for _, tidyFirst := range []bool{true, false} {
		send := w.letter(alice, "x", bob)
		first := w.must(send)
		w.halfDetach(dayTable{day: dayOf(w.clock.Now())}.name())
		if tidyFirst {
			if err := w.keepDays(w.ctx); err != nil {
				t.Fatal(err)
			}
		}
		w.again(send, first)
	}
	equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(2))
}

// halfDetach detaches a partition and is cut short while it waits for a reader.
func (w *world) halfDetach(table string) {
	w.t.Helper()
	reader, err := w.db.SQL.BeginTx(w.ctx, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := reader.Rollback(); err != nil {
			w.t.Error(err)
		}
	}()
	if _, err := reader.ExecContext(w.ctx, `SELECT * FROM sends`); err != nil {
		w.t.Fatal(err)
	}
	conn, err := w.db.Pool.Acquire(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(w.ctx, `SET statement_timeout = '100ms'`); err != nil {
		w.t.Fatal(err)
	}
	err = conn.Conn().PgConn().Exec(w.ctx, `ALTER TABLE sends DETACH PARTITION `+table+` CONCURRENTLY`).Close()
	if err == nil {
		w.t.Fatal("the partition was detached under a reader")
	}
	if _, err := conn.Exec(w.ctx, `RESET statement_timeout`); err != nil {
		w.t.Fatal(err)
	}
}

// A partition that another node dropped, whose clock runs ahead, is made again when it is needed.
func TestContract2_AMissingPartitionIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Open(t, database.PostgreSQL))
	alice, bob := w.user(1), w.user(1)
	w.fill(alice, bob, 1)
	other := newPostgresStore(w.db.Pool)
	day := dayOf(w.clock.Now())
	if err := other.keepDays(w.ctx, day+1, day+1, day+1); err != nil {
		t.Fatal(err)
	}
	w.fill(alice, bob, 1)
	equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(2))
}

// Old sends are forgotten in steps on SQLite.
func TestContract2_ManyOldSendsAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Open(t, database.SQLite))
	_, err := w.db.SQL.ExecContext(w.ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		INSERT INTO sends (day, key, content, accepted_at) SELECT 1, CAST(i AS BLOB), x'00', 0 FROM n`, 2*forgetCount+1)
	if err != nil {
		t.Fatal(err)
	}
	w.fill(w.user(1), w.user(1), 1)
	if err := w.keepDays(w.ctx); err != nil {
		t.Fatal(err)
	}
	if got := w.remembered(); got != 1 {
		t.Errorf("%d sends are remembered, want 1", got)
	}
}

package mailbox

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

// partitions is how many messages is spread over in tests. It is a number that small tests meet several of.
const partitions = 8

// openPartitioned gives a PostgreSQL database whose messages are spread by mailbox, as docs/scaling.md says. Every test that
// uses each runs on it unchanged.
func openPartitioned(t testing.TB) *database.DB {
	t.Helper()
	db := testdb.Open(t, database.PostgreSQL)
	err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error { return partition(t.Context(), tx) })
	if err != nil {
		t.Fatalf("partition messages: %v", err)
	}
	return db
}

// partition makes messages anew. A key of a partitioned table has to hold what it is partitioned by; with the id in front
// the index serves the same statements as before.
func partition(ctx context.Context, tx pgx.Tx) error {
	statements := []string{
		`ALTER TABLE messages RENAME TO messages_whole`,
		`CREATE TABLE messages (LIKE messages_whole INCLUDING DEFAULTS INCLUDING STORAGE) PARTITION BY HASH (mailbox_id)`,
		`DROP TABLE messages_whole`,
		`ALTER TABLE messages ADD PRIMARY KEY (id, mailbox_id)`,
		`CREATE INDEX message_expires_at ON messages (expires_at)`,
	}
	for i := range partitions {
		statements = append(statements, fmt.Sprintf(
			`CREATE TABLE messages_%d PARTITION OF messages FOR VALUES WITH (MODULUS %d, REMAINDER %d)`, i, partitions, i))
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// Rows of several partitions lie at the same place of their tables. What is acknowledged in one mailbox is deleted there alone,
// planned or step by step.
func TestPartitions_OnlyWhatIsAcknowledgedGoes(t *testing.T) {
	t.Parallel()
	db := openPartitioned(t)
	f := &faulty{store: newStore(db)}
	w := newNodeOver(t, db, f, newClock())
	people := w.users(3 * partitions)
	for i, u := range people {
		w.fill(people[(i+1)%len(people)], u, 3)
	}
	var shared int
	err := db.Pool.QueryRow(w.ctx, `SELECT count(*) FROM (SELECT ctid FROM messages GROUP BY ctid HAVING count(DISTINCT tableoid) > 1) AS s`).Scan(&shared)
	if err != nil {
		t.Fatal(err)
	}
	if shared == 0 {
		t.Fatal("no two rows share a place: the test shows nothing")
	}
	left := make([]int, len(people))
	for i := range left {
		left[i] = 3
	}
	check := func() {
		t.Helper()
		for i, u := range people {
			if got := w.waiting(u.devices[0]); len(got) != left[i] {
				t.Fatalf("%d messages wait in mailbox %d, want %d", len(got), i, left[i])
			}
		}
	}
	// The first node knows the mailboxes and plans; one that has just started does not.
	fresh := w.node()
	for i, node := range []*world{w, fresh} {
		device := people[i].devices[0]
		planned, _ := f.ways()
		if _, err := node.Acknowledge(w.ctx, device, w.waiting(device)[1].Cursor); err != nil {
			t.Fatal(err)
		}
		if now, _ := f.ways(); node == w && now != planned+1 {
			t.Error("the acknowledgement was not planned")
		}
		left[i] = 1
		check()
	}
}

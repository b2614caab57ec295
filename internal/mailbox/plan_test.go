package mailbox

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

// planning is a node over PostgreSQL that counts which way its batches went.
func planning(t *testing.T, change ...func(*Options)) (*world, *faulty) {
	t.Helper()
	t.Parallel()
	db := testdb.Open(t, database.PostgreSQL)
	f := &faulty{store: newStore(db)}
	return newNodeOver(t, db, f, newClock(), change...), f
}

// ways gives how many batches were committed as plans, and how many were begun step by step.
func (f *faulty) ways() (planned, begun int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.planned, f.begun
}

func TestPlan_WhatIsKnownIsOneRoundTrip(t *testing.T) {
	w, f := planning(t)
	alice, bob := w.user(1), w.user(2)
	w.fill(alice, bob, 1) // from now on both are known
	_, before := f.ways()
	w.fill(alice, bob, 3)
	if _, err := w.Acknowledge(w.ctx, bob.devices[0], w.waiting(bob.devices[0])[2].Cursor); err != nil {
		t.Fatal(err)
	}
	if planned, begun := f.ways(); planned != 4 || begun != before {
		t.Errorf("%d batches were planned and %d were not, want 4 and 0", planned, begun-before)
	}
	equal(t, "numbers", numbers(w.waiting(bob.devices[0])), []int64{4})
	equal(t, "numbers", numbers(w.waiting(bob.devices[1])), upTo(4))
	for device, want := range map[int]int64{0: 1, 1: 4} {
		if got := w.status(bob.devices[device]); got.Waiting != want || got.WaitingBytes != want {
			t.Errorf("device %d counts %d messages and %d bytes, want %d", device, got.Waiting, got.WaitingBytes, want)
		}
	}
	if got := w.status(alice.devices[0]).Accepted; got != 8 {
		t.Errorf("acceptedCount is %d, want 8", got)
	}
}

// What another node has done in the meantime is noticed in the transaction, and nothing of the plan stays.
func TestPlan_WhatDoesNotHoldIsDecidedStepByStep(t *testing.T) {
	w, f := planning(t, func(o *Options) { o.Limits.MaxMessages, o.Limits.MaxMessagesPerSender = 6, 6 })
	other := w.node(func(o *Options) { o.Limits.MaxMessages, o.Limits.MaxMessagesPerSender = 6, 6 })
	alice, bob, carol := w.user(1), w.user(1), w.user(1)
	w.fill(alice, bob, 1)
	w.fill(alice, carol, 1)

	again := w.letter(alice, "x", bob)
	first := other.must(again)
	w.again(again, first)

	other.move(carol, nil, nil) // the list moves on
	stale := w.letter(alice, "x", carol)
	stale.Recipients[0].ListVersion--
	_, err := w.Send(w.ctx, stale)
	refused(t, err, problem.DeviceListChanged)

	other.fill(carol, bob, 4)
	receipt, err := w.Send(w.ctx, w.letter(alice, "x", bob))
	if err != nil || receipt.Deliveries[0].Stored {
		t.Errorf("a full mailbox took a message: %+v %v", receipt, err)
	}
	if planned, _ := f.ways(); planned != 0 {
		t.Errorf("%d plans went through that did not hold", planned)
	}
	equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(6))
	w.fill(alice, carol, 1)
	if _, err := other.db.RenewEpoch(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.fill(alice, carol, 1)
	messages := w.waiting(carol.devices[0])
	equal(t, "numbers", numbers(messages), upTo(3))
	if _, err := w.Acknowledge(w.ctx, carol.devices[0], messages[2].Cursor); err != nil {
		t.Errorf("the cursor of the new epoch: %v", err)
	}
}

// One send that is refused does not make those that share its batch slower for ever: what the node has learnt keeps it out of
// later plans.
func TestPlan_WhatIsSuspectStaysOut(t *testing.T) {
	w, f := planning(t)
	alice, bob, carol := w.user(1), w.user(1), w.user(1)
	w.fill(alice, bob, 1)
	w.fill(alice, carol, 1)
	planned, _ := f.ways()
	stale := w.letter(alice, "x", carol)
	stale.Recipients[0].ListVersion++
	for range 3 {
		_, err := w.Send(w.ctx, stale)
		refused(t, err, problem.DeviceListChanged)
	}
	f.mu.Lock()
	tried := f.tried
	f.mu.Unlock()
	if tried != planned {
		t.Errorf("%d plans were tried for what was known to be refused", tried-planned)
	}
}

// Nodes whose batches name the same mailboxes in different orders do not lock each other out: PostgreSQL counts no deadlock.
func TestPlan_LocksAreTakenInOrder(t *testing.T) {
	t.Parallel()
	db := testdb.Open(t, database.PostgreSQL)
	w := newWorld(t, db)
	people := w.users(6)
	nodes := []*world{w, w.node(), w.node()}
	const each = 40
	var wait sync.WaitGroup
	for n, node := range nodes {
		for i := range people {
			wait.Go(func() {
				for k := range each {
					to := people[(i+k+n)%len(people)]
					if to == people[i] {
						to = people[(i+1)%len(people)]
					}
					node.must(node.letter(people[i], "x", to))
					if k%4 == 3 {
						page, err := node.Page(w.ctx, people[i].devices[0], nil, 1)
						if err != nil || len(page.Messages) == 0 {
							continue
						}
						if _, err := node.Acknowledge(w.ctx, people[i].devices[0], page.Messages[0].Cursor); err != nil {
							t.Errorf("acknowledge: %v", err)
						}
					}
				}
			})
		}
	}
	wait.Wait()
	var accepted int64
	for _, p := range people {
		accepted += w.status(p.devices[0]).Accepted
		messages := w.waiting(p.devices[0])
		for i := 1; i < len(messages); i++ {
			if messages[i].Number != messages[i-1].Number+1 {
				t.Fatalf("number %d follows %d", messages[i].Number, messages[i-1].Number)
			}
		}
	}
	if want := int64(len(nodes) * len(people) * each); accepted != want {
		t.Errorf("%d were accepted, want %d", accepted, want)
	}
	var deadlocks int
	if err := db.Pool.QueryRow(w.ctx, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&deadlocks); err != nil {
		t.Fatal(err)
	}
	if deadlocks > 0 {
		t.Errorf("%d deadlocks", deadlocks)
	}
}

// The writer's statements walk their rows in the order in which they are given, whatever PostgreSQL knows of the tables.
func TestPlan_PostgreSQLWalksRowsInTheirOrder(t *testing.T) {
	t.Parallel()
	db := testdb.Open(t, database.PostgreSQL)
	w := newWorld(t, db)
	w.users(50)
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			if _, err := db.Pool.Exec(w.ctx, `ANALYZE`); err != nil {
				t.Fatal(err)
			}
		}
		s := newPostgresStore(db.Pool)
		if err := s.connect(w.ctx); err != nil {
			t.Fatal(err)
		}
		var name string
		if err := s.conn.QueryRow(w.ctx, `SELECT name FROM pg_prepared_statements WHERE statement = $1`, pgPlanMove).Scan(&name); err != nil {
			t.Fatal(err)
		}
		rows, err := s.conn.Query(w.ctx, fmt.Sprintf(`EXPLAIN EXECUTE %s('{1}', '{1}', '{1}', '{1}', '{1}', 1, 1, 1)`, name))
		if err != nil {
			t.Fatal(err)
		}
		var plan strings.Builder
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			plan.WriteString(line + "\n")
		}
		rows.Close()
		s.close()
		update, _, _ := strings.Cut(plan.String(), "CTE checked")
		if !strings.Contains(update, "Nested Loop") || strings.Index(update, "Function Scan") > strings.Index(update, "Index Scan") ||
			strings.Contains(update, "Hash") || strings.Contains(update, "Merge") || strings.Contains(update, "Sort") {
			t.Errorf("analyzed %v: the rows may be locked in another order:\n%s", analyzed, plan.String())
		}
	}
}

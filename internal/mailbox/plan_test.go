package mailbox

import (
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

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

// The writer's statements are planned once. Whatever PostgreSQL knew of the tables at that time, they look rows up by their keys, in the
// order in which they are given: also when all tables were empty, and a plan that reads all of a table looked as good.
func TestPlan_PostgreSQLWalksRowsInTheirOrder(t *testing.T) {
	t.Parallel()
	db := testdb.Open(t, database.PostgreSQL)
	w := newWorld(t, db)
	explain := func(statement string, arguments int) string {
		t.Helper()
		s := newPostgresStore(db.Pool)
		defer s.close()
		if err := s.connect(w.ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := s.conn.Prepare(w.ctx, "explained", statement); err != nil {
			t.Fatal(err)
		}
		rows, err := s.conn.Query(w.ctx, `EXPLAIN EXECUTE explained(NULL`+strings.Repeat(", NULL", arguments-1)+`)`)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(lines, "\n")
	}
	deletion := []string{
		"Nested Loop Left Join", "on mailboxes b", "Nested Loop Left Join", "CTE Scan on ranges r", "Index Scan using messages_pkey on messages m",
		"Index Cond: ((id > r.low) AND (id <= r.high))", "messages_pkey", "Index Cond: (id = ANY ($",
	}
	known := []string{"nothing", "empty tables", "one row", "many rows"}
	for i, prepare := range []func(){
		func() {}, func() {}, func() { w.users(1) }, func() { w.users(60) },
	} {
		prepare()
		if i > 0 {
			if _, err := db.Pool.Exec(w.ctx, `VACUUM ANALYZE`); err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			statement string
			arguments int
			order     []string // of these parts in the plan
		}{
			"move":         {pgPlanMove, 8, []string{"Nested Loop", "Function Scan on w", "Index Scan using mailboxes_pkey on mailboxes m"}},
			"insert":       {pgPlanInsert, 11, []string{"Nested Loop Left Join", "Function Scan on w", "Index Scan using mailboxes_pkey on mailboxes m"}},
			"acknowledge":  {pgPlanAcknowledge, 3, deletion},
			"step by step": {pgAcknowledge, 4, deletion},
			"count": {pgCountBySender, 2, []string{
				"Nested Loop Left Join", "unnest", "mailboxes_pkey on mailboxes b", "messages_pkey on messages m",
				"Index Cond: ((id > ((b.id << 32) | b.acknowledged_number)) AND (id <= ((b.id << 32) | '4294967295'::bigint)))",
			}},
		} {
			plan := explain(c.statement, c.arguments)
			rest := plan
			if small := i == 1 || i == 2; small && name == "move" {
				// While there is hardly a mailbox PostgreSQL may go through all of them, in the same order.
				c.order = []string{"Nested Loop", "Index Scan using mailboxes_pkey on mailboxes m"}
			}
			for _, part := range c.order {
				_, after, found := strings.Cut(rest, part)
				if !found {
					t.Errorf("%s, PostgreSQL knowing %s: no %q in its place:\n%s", name, known[i], part, plan)
					break
				}
				rest = after
			}
			if strings.Contains(plan, "Hash Join") || strings.Contains(plan, "Merge") {
				t.Errorf("%s, PostgreSQL knowing %s: rows may be looked up in another order:\n%s", name, known[i], plan)
			}
		}
	}
}

// What others have put into a mailbox meanwhile gives nobody there more than their quota.
func TestPlan_TheQuotaOfASenderHoldsOnAllNodes(t *testing.T) {
	limited := func(o *Options) { o.Limits.MaxMessagesPerSender = 3 }
	w, _ := planning(t, limited)
	other := w.node(limited)
	mallory, bob := w.user(1), w.user(1)
	w.fill(mallory, bob, 1) // from now on this node takes the mailbox for nearly empty
	other.fill(mallory, bob, 2)
	if w.fits(mallory, bob, "x") {
		t.Error("a fourth message of one user was taken, of which three may wait")
	}
	if alice := w.user(1); !w.fits(alice, bob, "x") {
		t.Error("nothing of another user is taken")
	}
}

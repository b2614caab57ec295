package tally_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/tally"
	"github.com/letterlock/letterlock/internal/testdb"
)

// clock is one that a test sets.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{time.Unix(1_800_000_000, 0)} }

// node is one server that counts.
type node struct {
	*tally.Tally
	t  *testing.T
	db *database.DB
}

func newNode(t *testing.T, db *database.DB, c *clock) *node {
	return &node{tally.New(db, c.Now), t, db}
}

var tenSeconds = tally.Limit{Every: 10 * time.Second, Burst: 3}

// take counts one in a transaction of its own.
func (n *node) take(whom string) time.Duration {
	n.t.Helper()
	wait, err := n.try(whom, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	return wait
}

// try is take in a transaction that then fails with failure.
func (n *node) try(whom string, failure error) (wait time.Duration, err error) {
	err = n.db.Write(n.t.Context(), "test", func(ctx context.Context, tx *ent.Tx) (err error) {
		if wait, err = n.Take(ctx, tx, tally.ClaimsOfPair, tenSeconds, []byte(whom)); err == nil {
			err = failure
		}
		return err
	})
	return wait, err
}

func (n *node) rows() (count int) {
	n.t.Helper()
	count, err := n.db.Ent.Rate.Query().Count(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	return count
}

func (n *node) sweep() {
	n.t.Helper()
	if err := n.Sweep(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
}

func TestNodesCountTogetherAndTellWhenTheNextIsAllowed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		here, there := newNode(t, db, c), newNode(t, testdb.Reopen(t, db), c)
		for i, n := range []*node{here, there, here} {
			if wait := n.take("a"); wait != 0 {
				t.Fatalf("number %d has to wait %v", i, wait)
			}
		}
		for _, n := range []*node{here, there, newNode(t, db, c)} {
			if wait := n.take("a"); wait != 10*time.Second {
				t.Errorf("one too many has to wait %v", wait)
			}
		}
		if there.take("b") != 0 {
			t.Error("somebody else has to wait as well")
		}
		c.now = c.now.Add(9 * time.Second)
		if wait := there.take("a"); wait != time.Second {
			t.Errorf("a second before, the wait is %v", wait)
		}
		c.now = c.now.Add(time.Second)
		if there.take("a") != 0 || here.take("a") == 0 {
			t.Error("after the wait it is one, and no more")
		}
		c.now = c.now.Add(time.Minute)
		for i := range 3 {
			if wait := here.take("a"); wait != 0 {
				t.Errorf("after a silence number %d has to wait %v", i, wait)
			}
		}
	})
}

func TestWhatFailsIsNotCounted(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n := newNode(t, db, newClock())
		failure := errors.New("no")
		for range 10 {
			if _, err := n.try("a", failure); !errors.Is(err, failure) {
				t.Fatal(err)
			}
		}
		if n.rows() != 0 {
			t.Error("what failed left a row")
		}
		for range 3 {
			if n.take("a") != 0 {
				t.Fatal("what failed was counted")
			}
		}
	})
}

// However many come at once, on however many nodes, exactly as many are let in as the limit says.
func TestExactlyAsManyAsAllowedAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		nodes := []*node{newNode(t, db, c), newNode(t, testdb.Reopen(t, db), c)}
		var group sync.WaitGroup
		var allowed atomic.Int32
		for i := range 40 {
			group.Go(func() {
				wait, err := nodes[i%2].try("a", nil)
				if err != nil {
					t.Error(err)
				} else if wait == 0 {
					allowed.Add(1)
				}
			})
		}
		group.Wait()
		if n := allowed.Load(); n != 3 {
			t.Errorf("%d were allowed, want 3", n)
		}
	})
}

func TestRowsLastForTheirWindow(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		n := newNode(t, db, c)
		n.take("a")
		n.take("b")
		n.take("b")
		c.now = c.now.Add(10 * time.Second)
		if n.sweep(); n.rows() != 1 {
			t.Errorf("%d rows, want the one that still counts", n.rows())
		}
		c.now = c.now.Add(10 * time.Second)
		if n.sweep(); n.rows() != 0 {
			t.Errorf("%d rows are left", n.rows())
		}
	})
}

func TestSweepTakesAllThatIsOver(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		n := newNode(t, db, c)
		n.take("a")
		statement := fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
			INSERT INTO rates (id, until) SELECT i, %d FROM n`, c.now.UnixMicro())
		if _, err := db.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		if n.sweep(); n.rows() != 1 {
			t.Errorf("%d rows, want one", n.rows())
		}
	})
}

// Clocks that differ a little let little more through. A clock that was wrong by hours shuts nobody out for hours.
func TestClocksThatDiffer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		right, ahead := newClock(), newClock()
		ahead.now = ahead.now.Add(10 * time.Second)
		here, there := newNode(t, db, right), newNode(t, db, ahead)
		allowed := 0
		for range 20 {
			for _, n := range []*node{there, here} {
				if n.take("a") == 0 {
					allowed++
				}
			}
		}
		if allowed < 3 || allowed > 4 {
			t.Errorf("clocks 10 s apart let %d through, want 3, or one more", allowed)
		}

		ahead.now = ahead.now.Add(5 * time.Hour)
		there.take("a")
		if here.take("a") != 0 {
			t.Error("a count from hours ahead counts")
		}
		there.take("b")
		if here.sweep(); here.rows() != 1 {
			t.Errorf("%d rows, want one without that from hours ahead", here.rows())
		}
	})
}

// Nobody can say of a row for whom it is: each is shared by a millionth of all there are. Nobody can choose with whom, either.
func TestRowsHoldTwentyBitsOfAKeyedHash(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		rows := func(db *database.DB) []int64 {
			n := newNode(t, db, newClock())
			for i := range 10 {
				n.take(fmt.Sprint("198.51.100.", i))
			}
			ids, err := db.Ent.Rate.Query().Order(ent.Asc("id")).IDs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				if id>>20 != int64(tally.ClaimsOfPair) {
					t.Errorf("the row %x holds more than 20 bits", id)
				}
			}
			return ids
		}
		if slices.Equal(rows(db), rows(testdb.Open(t, db.Dialect))) {
			t.Error("two stores hash the same")
		}
	})
}

func TestNoLimit(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n := newNode(t, db, newClock())
		err := db.Write(t.Context(), "test", func(ctx context.Context, tx *ent.Tx) error {
			wait, err := n.Take(ctx, tx, tally.Registrations, tally.PerMinute(0), []byte("a"))
			if wait != 0 {
				t.Errorf("wait %v", wait)
			}
			return err
		})
		if err != nil || n.rows() != 0 {
			t.Errorf("%v; %d rows", err, n.rows())
		}
	})
}

// A server that stops does not wait until all is swept.
func TestSweepEndsWithItsContext(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		n := newNode(t, db, c)
		statement := fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
			INSERT INTO rates (id, until) SELECT i, %d FROM n`, c.now.UnixMicro())
		if _, err := db.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stopping := tally.New(db, func() time.Time {
			stop() // in its first transaction, which goes on
			return c.now
		})
		if err := stopping.Sweep(ctx); err == nil || n.rows() != 1500 {
			t.Errorf("it gives %v, and %d rows are left", err, n.rows())
		}
	})
}

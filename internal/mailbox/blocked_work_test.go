package mailbox

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

// steps is a store that writes down what it is asked to do.
type steps struct {
	store
	mu    sync.Mutex
	taken []string
}

func (s *steps) take(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, step)
}

// since forgets what was taken and gives it.
func (s *steps) since() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.taken = nil }()
	return strings.Join(s.taken, " ")
}

func (s *steps) commitPlan(ctx context.Context, p *plan) error {
	s.take("plan")
	return s.store.commitPlan(ctx, p)
}

func (s *steps) begin(ctx context.Context, r request) (transaction, *claimed, error) {
	s.take("begin")
	tx, found, err := s.store.begin(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	return &stepsTx{transaction: tx, steps: s}, found, nil
}

type stepsTx struct {
	transaction
	steps *steps
}

func (t *stepsTx) remembered(ctx context.Context, keys []sendKey) (map[sendKey]memory, error) {
	t.steps.take("remembered")
	return t.transaction.remembered(ctx, keys)
}

func (t *stepsTx) countBySender(ctx context.Context, pairs []senderPair) (map[senderPair]int64, error) {
	t.steps.take("countBySender")
	return t.transaction.countBySender(ctx, pairs)
}

func (t *stepsTx) blocked(ctx context.Context, pairs []senderPair) (map[senderPair]bool, error) {
	t.steps.take("blocked")
	return t.transaction.blocked(ctx, pairs)
}

func (t *stepsTx) commit(ctx context.Context, c *changes) error {
	t.steps.take("commit")
	return t.transaction.commit(ctx, c)
}

// A mailbox that blocks somebody asks the store the same of everybody's sends, the first time and again: by what a
// send takes the blocked can tell themselves from others by the one row that is not written. docs/threat-model.md has the times.
func TestBlockedSendersAndOthersTakeTheSameSteps(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		seen := &steps{store: newStore(db)}
		w := newNodeOver(t, db, seen, newClock())
		alice, bob, carol := w.user(1), w.user(1), w.user(1)
		for _, u := range []*user{bob, carol} { // every mailbox is known
			w.fill(u, alice, 1)
		}
		w.block(alice.devices[0], bob)
		w.fill(carol, alice, 1) // what the node knows of the mailbox has moved on
		w.fill(bob, alice, 1)
		seen.since()
		took := func(from *user) (first, again string) {
			send := w.letter(from, "x", alice)
			w.must(send)
			first = seen.since()
			w.must(send)
			return first, seen.since()
		}
		blocked, blockedAgain := took(bob)
		other, otherAgain := took(carol)
		if blocked != other || blockedAgain != otherAgain || !strings.Contains(other, "blocked") {
			t.Errorf("the blocked sender's send takes %q, then %q; another's %q, then %q", blocked, blockedAgain, other, otherAgain)
		}
	})
}

// BenchmarkSendToWhoBlocks measures what a sender can tell by the clock: whether a mailbox blocks anybody, and whether it is them.
func BenchmarkSendToWhoBlocks(b *testing.B) {
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		for _, blocks := range []string{"nobody", "another", "the sender"} {
			b.Run(string(dialect)+"/"+blocks, func(b *testing.B) {
				w := newNode(b, testdb.Open(b, dialect), newClock(), func(o *Options) {
					o.Limits = Limits{MaxMessages: 1 << 30, MaxMessagesPerSender: 1 << 30, MaxBytes: 1 << 40}
				})
				alice, bob, carol := w.user(1), w.user(1), w.user(1)
				switch blocks {
				case "another":
					w.block(alice.devices[0], carol)
				case "the sender":
					w.block(alice.devices[0], bob)
				}
				w.fill(bob, alice, 3)
				took := make([]time.Duration, 0, b.N)
				for b.Loop() {
					send := w.letter(bob, "x", alice)
					begun := time.Now()
					w.must(send)
					took = append(took, time.Since(begun))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-us")
			})
		}
	}
}

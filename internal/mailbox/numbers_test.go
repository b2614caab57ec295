package mailbox

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestContract3_ManySendersNumberAMailboxWithoutGaps(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		const senders, each = 32, 15
		bob := w.user(1)
		from := w.users(senders)
		r := w.subscribe(bob.devices[0], nil)
		var wait sync.WaitGroup
		for _, sender := range from {
			wait.Go(func() { w.fill(sender, bob, each) })
		}
		// A live reader sees every one, in order, and passes none by.
		seen := make(map[uuid.UUID]bool)
		for want := int64(1); want <= senders*each; want++ {
			m := w.next(r)
			if m.Number != want || seen[m.MessageID] {
				t.Fatalf("got number %d, seen before %v; want %d", m.Number, seen[m.MessageID], want)
			}
			seen[m.MessageID] = true
		}
		wait.Wait()
		w.nothing(r)
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(senders*each))
	})
}

// Two servers on one database, each with senders and readers; no wake-up goes from one to the other.
func TestContract3_TwoNodesNumberAMailboxWithoutGaps(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		const senders, each = 8, 25
		nodes := []*world{w, w.node(looksOften)}
		bobs := w.users(2)
		from := w.users(senders)
		var wait sync.WaitGroup
		for i, sender := range from {
			wait.Go(func() {
				for n := range each {
					node := nodes[(i+n)%2]
					node.must(node.letter(sender, "x", bobs...))
				}
			})
		}
		for i, bob := range bobs {
			wait.Go(func() {
				node := nodes[i]
				r := node.subscribe(bob.devices[0], nil)
				for want := int64(1); want <= senders*each; want++ {
					if i == 0 && want%20 == 0 {
						node.lookAgain(w.ctx)
					}
					m, err := node.patient(r)
					if err != nil || m.Number != want {
						t.Errorf("node %d: got number %d, %v; want %d", i, m.Number, err, want)
						return
					}
				}
			})
		}
		wait.Wait()
		for _, bob := range bobs {
			equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(senders*each))
		}
		for _, sender := range from {
			if got := w.status(sender.devices[0]).Accepted; got != 2*each {
				t.Errorf("acceptedCount is %d, want %d", got, 2*each)
			}
		}
	}, looksOften)
}

// Sends to random devices from two servers lock many mailboxes at once; none waits for another in a circle.
func TestWritePath_NoDeadlocks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const users, workers, each = 12, 16, 20
		nodes := []*world{w, w.node()}
		people := make([]*user, users)
		for i := range people {
			people[i] = w.user(1 + i%3)
		}
		// Lists move and messages expire all the while.
		ctx, stop := context.WithCancel(w.ctx)
		var others sync.WaitGroup
		others.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if err := nodes[n%2].tryMove(people[n%users], 1, nil, nil); err != nil {
					t.Errorf("publish: %v", err)
				}
			}
		})
		others.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				w.clock.move(time.Microsecond)
				if err := nodes[n%2].sweep(w.ctx); err != nil {
					t.Errorf("sweep: %v", err)
				}
			}
		})
		var wait sync.WaitGroup
		for i := range workers {
			wait.Go(func() {
				for n := range each {
					node := nodes[(i+n)%2]
					to := people[(i+n)%users]
					others := []*user{to}
					for k := 1; k <= (i*n)%5; k++ {
						if other := people[(i+n+k*k+k)%users]; !slices.Contains(others, other) {
							others = append(others, other)
						}
					}
					slices.SortFunc(others, func(a, b *user) int { return slices.Compare(b.id[:], a.id[:]) })
					send := node.letter(people[(i*7+n)%users], fmt.Sprint(i, n), others...)
					if n%2 == 0 {
						send.ExpiresIn = time.Microsecond
					}
					node.must(send)
					if waiting := node.waiting(to.devices[0]); n%5 == 0 && len(waiting) > 0 {
						node.acknowledge(to, waiting[0].Number)
					}
				}
			})
		}
		wait.Wait()
		stop()
		others.Wait()
		if w.db.Pool != nil {
			var deadlocks int
			err := w.db.SQL.QueryRowContext(w.ctx, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&deadlocks)
			if err != nil || deadlocks > 0 {
				t.Errorf("PostgreSQL counts %d deadlocks, %v", deadlocks, err)
			}
		}
		w.clock.move(time.Microsecond)
		if err := w.sweep(w.ctx); err != nil {
			t.Fatal(err)
		}
		for _, u := range people {
			for _, device := range u.devices {
				if got, status := w.waiting(device), w.status(device); int64(len(got)) != status.Waiting {
					t.Errorf("a mailbox counts %d messages and holds %d", status.Waiting, len(got))
				}
			}
		}
	})
}

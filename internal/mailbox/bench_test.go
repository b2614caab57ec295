package mailbox

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

// benchmarkSenders is how many callers wait at once, each with a device of its own and a recipient of its own.
const benchmarkSenders = 64

// acknowledgeEvery is after how many messages a recipient acknowledges.
const acknowledgeEvery = 4

func BenchmarkSend(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, w *world, from, to []*user) {
		sendAll(b, w, from, to)
	})
}

// BenchmarkDeliver has a live reader for each recipient, who acknowledges now and then.
func BenchmarkDeliver(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, w *world, from, to []*user) {
		var left atomic.Int64
		left.Store(int64(b.N))
		all := make(chan struct{})
		var readers sync.WaitGroup
		var open []*reading
		for _, u := range to {
			r := w.subscribe(u.devices[0], nil)
			open = append(open, r)
			readers.Go(func() {
				for n := 1; ; n++ {
					m, err := r.Next(w.ctx)
					if err != nil {
						return // closed below
					}
					if left.Add(-1) == 0 {
						close(all)
					}
					if n%acknowledgeEvery == 0 {
						if _, err := w.Acknowledge(w.ctx, u.devices[0], m.Cursor); err != nil {
							b.Error(err)
						}
					}
				}
			})
			b.Cleanup(r.Close)
		}
		b.ResetTimer()
		sendAll(b, w, from, to)
		<-all
		b.StopTimer()
		for _, r := range open {
			r.Close()
		}
		readers.Wait()
	})
}

func benchmarkEach(b *testing.B, run func(b *testing.B, w *world, from, to []*user)) {
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		b.Run(string(dialect), func(b *testing.B) {
			db := testdb.Open(b, dialect)
			counted := &faulty{store: newStore(db)}
			w := newNodeOver(b, db, counted, newClock(), func(o *Options) {
				o.Limits = Limits{MaxMessages: 1 << 30, MaxMessagesPerSender: 1 << 30, MaxBytes: 1 << 40}
			})
			from, to := w.users(benchmarkSenders), w.users(benchmarkSenders)
			b.ReportAllocs()
			b.ResetTimer()
			run(b, w, from, to)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(float64(b.N)/float64(counted.begun+counted.planned), "messages/batch")
		})
	}
}

// sendAll sends b.N messages of 256 bytes.
func sendAll(b *testing.B, w *world, from, to []*user) {
	text := make([]byte, 256)
	random(text)
	var next atomic.Int64
	var senders sync.WaitGroup
	for i := range from {
		senders.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if _, err := w.Send(w.ctx, w.letter(from[i], string(text), to[i])); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	senders.Wait()
}

// BenchmarkSubscribe opens subscriptions of devices that come one after the other, and of many that come back at once.
func BenchmarkSubscribe(b *testing.B) {
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		for _, callers := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/callers=%d", dialect, callers), func(b *testing.B) {
				w := newWorld(b, testdb.Open(b, dialect))
				people := w.users(benchmarkSenders)
				var next atomic.Int64
				b.ReportAllocs()
				b.ResetTimer()
				var wait sync.WaitGroup
				for range callers {
					wait.Go(func() {
						for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
							r, err := w.Subscribe(w.ctx, people[i%benchmarkSenders].devices[0], nil)
							if err != nil {
								b.Error(err)
								return
							}
							r.Close()
						}
					})
				}
				wait.Wait()
			})
		}
	}
}

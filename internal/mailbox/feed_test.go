package mailbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// feed opens a Feed and counts how often it says that there is something.
func (w *world) feed(u *user, told *atomic.Int64) *Feed {
	w.t.Helper()
	f, err := w.Feed(w.ctx, u.devices[0], nil, func() { told.Add(1) })
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(f.Close)
	return f
}

// drain polls until there is nothing and gives the numbers.
func (w *world) drain(f *Feed) (numbers []int64) {
	w.t.Helper()
	for {
		m, ok, err := f.Poll(w.ctx)
		if err != nil {
			w.t.Fatalf("Poll: %v", err)
		}
		if !ok {
			return numbers
		}
		numbers = append(numbers, m.Number)
	}
}

func TestFeed_SaysOnceThatThereIsSomething(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		var told atomic.Int64
		says := func(want int64) {
			t.Helper()
			if got := told.Swap(0); got != want {
				t.Errorf("ready was called %d times, want %d", got, want)
			}
		}
		f := w.feed(bob, &told)
		says(1) // to look at what waits
		equal(t, "at first", w.drain(f), nil)
		says(0)
		w.fill(alice, bob, 3)
		says(1) // not again before it was polled
		equal(t, "then", w.drain(f), upTo(3))
		w.lookAgain(w.ctx)
		says(0) // there is nothing new
		f.Close()
		says(0)
		if _, ok, err := f.Poll(w.ctx); ok || !errors.Is(err, context.Canceled) {
			t.Errorf("a closed feed gives %v, %v", ok, err)
		}
	})
}

// Whatever comes while the store fails, it is asked once in a pause; then ready is called.
func TestFeed_AStoreThatFailsIsLeftAloneForAWhile(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		f := &faulty{store: newStore(db)}
		w := newNodeOver(t, db, f, newClock())
		alice, bob := w.user(1), w.user(1)
		var told, asked atomic.Int64
		w.fill(alice, bob, 1)
		feed := w.feed(bob, &told)
		var gone atomic.Bool
		gone.Store(true)
		f.change(func() {
			f.beforePage = func() error {
				asked.Add(1)
				if gone.Load() {
					return fmt.Errorf("%w: restarting", errTransient)
				}
				return nil
			}
		})
		began := time.Now()
		equal(t, "while the store fails", w.drain(feed), nil)
		told.Store(0)
		for range 20 {
			w.fill(alice, bob, 1)
			w.drain(feed)
			w.lookAgain(w.ctx)
			w.drain(feed)
		}
		if n, pauses := asked.Load(), 1+int64(time.Since(began)/longestPause); n > pauses {
			t.Errorf("the store was asked %d times in %d pauses", n, pauses)
		}
		gone.Store(false)
		var got []int64
		waitFor(t, "the pause to end", func() bool {
			if told.Load() > 0 {
				got = append(got, w.drain(feed)...)
			}
			return len(got) >= 21
		})
		equal(t, "then", got, upTo(21))
	})
}

// A mailbox in which nothing waits is looked at once, and what is committed around that look is not passed by.
func TestFeed_AnEmptyMailboxIsNotRead(t *testing.T) {
	broken(t, func(t *testing.T, w *world, f *faulty) {
		alice, bob, carol := w.user(1), w.user(1), w.user(1)
		w.fill(alice, bob, 2)
		w.acknowledge(bob, 2)
		var pages, told atomic.Int64
		f.change(func() {
			f.beforePage = func() error {
				pages.Add(1)
				return nil
			}
		})
		feed := w.feed(bob, &told)
		equal(t, "at first", w.drain(feed), nil)
		w.fill(alice, bob, 2)
		equal(t, "live", w.drain(feed), []int64{3, 4})
		if n := pages.Load(); n != 0 {
			t.Errorf("%d pages of it were read", n)
		}
		var once sync.Once
		f.change(func() { f.afterStanding = func() { once.Do(func() { w.fill(alice, carol, 1) }) } })
		equal(t, "what was committed after the look", w.drain(w.feed(carol, &told)), upTo(1))
	})
}

// What waits is read once, and what is committed while it is handed out comes from memory.
func TestFeed_WhatWaitsIsReadOnce(t *testing.T) {
	broken(t, func(t *testing.T, w *world, f *faulty) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 3)
		var pages, told atomic.Int64
		f.change(func() {
			f.beforePage = func() error {
				pages.Add(1)
				return nil
			}
		})
		feed := w.feed(bob, &told)
		if m, ok, err := feed.Poll(w.ctx); !ok || m.Number != 1 || err != nil {
			t.Fatalf("at first comes message %d, %v", m.Number, err)
		}
		w.fill(alice, bob, 2)
		equal(t, "then", w.drain(feed), []int64{2, 3, 4, 5})
		if n := pages.Load(); n != 1 {
			t.Errorf("%d pages were read, want one", n)
		}
	})
}

func TestFeed_ClosedInAPauseIsSilent(t *testing.T) {
	broken(t, func(t *testing.T, w *world, f *faulty) {
		alice, bob := w.user(1), w.user(1)
		var told atomic.Int64
		w.fill(alice, bob, 1)
		feed := w.feed(bob, &told)
		f.change(func() { f.beforePage = func() error { return fmt.Errorf("%w: gone", errTransient) } })
		w.drain(feed)
		feed.mu.Lock()
		pause := feed.pause
		feed.mu.Unlock()
		if pause == nil {
			t.Fatal("the feed does not come back to the store")
		}
		told.Store(0)
		feed.Close()
		if pause.Stop() {
			t.Error("a closed feed has its timer still")
		}
		if n := told.Load(); n != 0 {
			t.Errorf("a closed feed said %d times that there is something", n)
		}
	})
}

// A caller whose time runs out while the store is read loses nothing.
func TestFeed_ItsCallersContextEndsAReadAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 2)
		var told atomic.Int64
		f := w.feed(bob, &told)
		ctx, cancel := context.WithCancel(w.ctx)
		cancel()
		if _, ok, err := f.Poll(ctx); ok || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", ok, err)
		}
		equal(t, "then", w.drain(f), upTo(2))
	})
}

// What a feed has handed out it does not hold any more.
func TestFeed_IdleHoldsNoMessages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 40)
		var told atomic.Int64
		f := w.feed(bob, &told)
		w.drain(f)
		w.fill(alice, bob, 40)
		w.drain(f)
		if f.page != nil || len(f.queue.slots) > keptSlots || f.queue.bytes != 0 {
			t.Errorf("an idle feed holds a page of %d and a queue of %d, %d bytes", cap(f.page), len(f.queue.slots), f.queue.bytes)
		}
	})
}

func TestFeed_IsToldOfItsEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			end  func(u *user)
			code problem.Code
		}{
			"a newer one": {func(u *user) { w.subscribe(u.devices[0], nil) }, problem.Superseded},
			"a removal":   {func(u *user) { w.move(u, nil, u.devices) }, problem.DeviceRemoved},
		} {
			u := w.user(1)
			var told atomic.Int64
			f := w.feed(u, &told)
			w.drain(f)
			told.Store(0)
			c.end(u)
			if told.Load() != 1 {
				t.Errorf("%s: ready was called %d times", name, told.Load())
			}
			_, _, err := f.Poll(w.ctx)
			refused(t, err, c.code)
		}
		var told atomic.Int64
		f := w.feed(w.user(1), &told)
		w.drain(f)
		told.Store(0)
		w.stop()
		if told.Load() != 1 {
			t.Errorf("stopping: ready was called %d times", told.Load())
		}
		_, _, err := f.Poll(w.ctx)
		refused(t, err, problem.Stopping)
	})
}

// Few workers serve many feeds: each is polled by one of them at a time, when it has said so.
func TestFeed_FewWorkersServeMany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const crowd, workers, count = 40, 3, 12
		type box struct {
			feed  *Feed
			state atomic.Int32 // 0: idle, 1: in line or being polled, 2: told meanwhile
			got   []int64
		}
		line := make(chan *box, crowd)
		var got atomic.Int64
		serve := func(b *box) {
			for {
				b.state.Store(1)
				for {
					m, ok, err := b.feed.Poll(w.ctx)
					if err != nil {
						t.Errorf("Poll: %v", err)
					}
					if !ok {
						break
					}
					b.got = append(b.got, m.Number)
					got.Add(1)
				}
				if b.state.CompareAndSwap(1, 0) {
					return
				}
			}
		}
		var pool, opening sync.WaitGroup
		opening.Add(1)
		for range workers {
			pool.Go(func() {
				opening.Wait()
				for b := range line {
					serve(b)
				}
			})
		}
		alice := w.users(4)
		to := w.users(crowd)
		boxes := make([]*box, crowd)
		for i, u := range to {
			b := &box{}
			feed, err := w.Feed(w.ctx, u.devices[0], nil, func() {
				if b.state.Swap(2) == 0 {
					line <- b
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			b.feed, boxes[i] = feed, b
			t.Cleanup(feed.Close)
		}
		opening.Done()
		var senders sync.WaitGroup
		for _, from := range alice {
			senders.Go(func() {
				for range count / len(alice) {
					w.must(w.letter(from, "x", to...))
				}
			})
		}
		senders.Wait()
		waitFor(t, "all to be read", func() bool { return got.Load() >= crowd*count })
		close(line)
		pool.Wait()
		for _, b := range boxes {
			equal(t, "numbers", b.got, upTo(count))
		}
	})
}

// BenchmarkFeed is the way of a message from the hub to who polls, one by one and in bursts.
func BenchmarkFeed(b *testing.B) {
	for _, burst := range []int{1, 32} {
		b.Run(fmt.Sprintf("burst=%d", burst), func(b *testing.B) {
			w := newWorld(b, testdb.Open(b, database.SQLite))
			var told atomic.Int64
			f := w.feed(w.user(1), &told)
			w.drain(f)
			m := Message{
				Cursor: Cursor{epoch: f.epoch, mailbox: f.mailbox}, ExpiresAt: w.clock.Now().Add(time.Hour), Ciphertext: make([]byte, 256),
			}
			b.ReportAllocs()
			for b.Loop() {
				for range burst {
					m.Number++
					w.hub.Notify(wakeup.Hint[Message]{Device: f.device, Event: wakeup.Grown, Message: &m})
				}
				for range burst {
					if _, ok, err := f.Poll(w.ctx); !ok || err != nil {
						b.Fatalf("Poll gives nothing: %v", err)
					}
				}
				if _, ok, _ := f.Poll(w.ctx); ok {
					b.Fatal("Poll gives too much")
				}
			}
		})
	}
}

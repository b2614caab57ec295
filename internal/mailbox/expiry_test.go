package mailbox

import (
	"testing"
	"time"
)

// expiring sends a message that expires after d.
func (w *world) expiring(from, to *user, d time.Duration) {
	w.t.Helper()
	send := w.letter(from, "x", to)
	send.ExpiresIn = d
	w.must(send)
}

func TestContract8_WhatHasExpiredIsNotDelivered(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		w.expiring(alice, bob, time.Hour)
		w.expiring(alice, bob, 2*time.Hour)
		w.expiring(alice, bob, time.Hour)
		w.clock.move(time.Hour)
		// Swept or not makes no difference.
		equal(t, "before the sweep", numbers(w.waiting(bob.devices[0])), []int64{2})
		if got := w.next(w.subscribe(bob.devices[0], nil)).Number; got != 2 {
			t.Errorf("a reader starts at %d", got)
		}
		if err := w.sweep(w.ctx); err != nil {
			t.Fatal(err)
		}
		equal(t, "after the sweep", numbers(w.waiting(bob.devices[0])), []int64{2})
		if got := w.status(bob.devices[0]); got.Expired != 2 || got.Waiting != 1 || got.WaitingBytes != 1 {
			t.Errorf("the mailbox stands at %+v", got)
		}
		page, err := w.Page(w.ctx, bob.devices[0], nil, 1)
		if err != nil || page.ExpiredCount != 2 || page.HasNext {
			t.Errorf("page: %+v, %v", page, err)
		}
	})
}

func TestContract8_NothingWaitsLongerThanTheLifetime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 1)
		w.expiring(alice, bob, 31*24*time.Hour)
		w.clock.move(30*24*time.Hour - time.Microsecond)
		equal(t, "until the end", numbers(w.waiting(bob.devices[0])), upTo(2))
		w.clock.move(time.Microsecond)
		equal(t, "at the end", numbers(w.waiting(bob.devices[0])), nil)
	})
}

func TestContract3_ExpiryLeavesHolesThatAReaderPassesOver(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		r := w.subscribe(bob.devices[0], nil)
		w.nothing(r)
		for range 3 {
			w.expiring(alice, bob, time.Hour)
			w.expiring(alice, bob, 2*time.Hour)
		}
		w.clock.move(time.Hour)
		if err := w.sweep(w.ctx); err != nil {
			t.Fatal(err)
		}
		// The reader has all six in memory; three of them have expired there.
		for _, want := range []int64{2, 4, 6} {
			if got := w.next(r).Number; got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		}
		w.nothing(r)
		// Numbers go on behind the holes, and so does the reader, from memory or from the store.
		w.expiring(alice, bob, time.Hour)
		if got := w.next(r).Number; got != 7 {
			t.Errorf("got %d, want 7", got)
		}
		w.acknowledge(bob, 7)
		if got := w.status(bob.devices[0]); got.Expired != 3 || got.Waiting != 0 {
			t.Errorf("the mailbox stands at %+v", got)
		}
	})
}

// A mailbox whose newest messages have expired ends in a hole; a reader that starts there goes on live.
func TestContract4_AReaderBehindAHoleGoesOnLive(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		for range 3 {
			w.expiring(alice, bob, time.Hour)
		}
		w.clock.move(2 * time.Hour)
		if err := w.sweep(w.ctx); err != nil {
			t.Fatal(err)
		}
		r := w.subscribe(bob.devices[0], nil)
		w.nothing(r)
		w.fill(alice, bob, 2)
		for _, want := range []int64{4, 5} {
			m, next := r.take()
			if next != deliver || m.Number != want {
				t.Errorf("from memory came %d (step %v), want %d", m.Number, next, want)
			}
		}
	})
}

func TestContract8_TheSweepGoesThroughAllInBoundedSteps(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, many := w.user(1), w.user(100)
		for range 11 {
			w.expiring(alice, many, time.Hour)
		}
		w.clock.move(time.Hour)
		n, err := w.sweepOnce(w.ctx)
		if err != nil || n != sweepCount {
			t.Fatalf("one step deleted %d, %v; want %d", n, err, sweepCount)
		}
		if err := w.sweep(w.ctx); err != nil {
			t.Fatal(err)
		}
		for _, device := range many.devices {
			if got := w.status(device); got.Expired != 11 || got.Waiting != 0 || got.WaitingBytes != 0 {
				t.Fatalf("a mailbox stands at %+v", got)
			}
		}
	})
}

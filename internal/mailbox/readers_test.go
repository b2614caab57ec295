package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// twoNodes runs a test with two services on one PostgreSQL, over both ways to read. The first has a store that may fail.
func twoNodes(t *testing.T, hub Hub, test func(t *testing.T, here, there *world, f *faulty)) {
	t.Helper()
	t.Parallel()
	shared := func(o *Options) { o.Hub = hub }
	eachWay(t, func(t *testing.T, polls bool) {
		db := testdb.Open(t, database.PostgreSQL)
		f := &faulty{store: newStore(db)}
		here := newNodeOver(t, db, f, newClock(), shared, shortRetries)
		here.polls = polls
		test(t, here, here.node(shared, shortRetries), f)
	})
}

// over expects that a reader was superseded.
func (w *world) over(r *reading) {
	w.t.Helper()
	_, err := w.patient(r)
	refused(w.t, err, problem.Superseded)
}

// goesOn expects that a reader is not over after looking again, and gets what is sent.
func (w *world) goesOn(u *user, r *reading) {
	w.t.Helper()
	w.lookAgain(w.ctx)
	w.nothing(r)
	sent := w.fill(w.user(1), u, 1)
	w.lookAgain(w.ctx)
	if got := w.next(r).MessageID; got != sent[0] {
		w.t.Errorf("got %s, want %s", got, sent[0])
	}
}

func TestContract4_SupersededAcrossNodes(t *testing.T) {
	twoNodes(t, wakeup.NewLocal[Message](), func(_ *testing.T, here, there *world, _ *faulty) {
		bob := here.user(1)
		older := here.subscribe(bob.devices[0], nil)
		newer := there.subscribe(bob.devices[0], nil)
		here.over(older)
		there.goesOn(bob, newer)
	})
}

// A device hops from node to node, and no hint arrives. Each older reader ends when its node looks again.
func TestContract4_SupersededWithoutAHint(t *testing.T) {
	twoNodes(t, deafHub{}, func(_ *testing.T, here, there *world, _ *faulty) {
		bob := here.user(1)
		first := here.subscribe(bob.devices[0], nil)
		second := there.subscribe(bob.devices[0], nil)
		here.lookAgain(here.ctx)
		here.over(first)
		third := here.subscribe(bob.devices[0], nil)
		there.lookAgain(there.ctx)
		there.over(second)
		here.goesOn(bob, third)
	})
}

func TestContract4_OfManyThatBeginOnTwoNodesOneIsLeft(t *testing.T) {
	twoNodes(t, deafHub{}, func(t *testing.T, here, there *world, _ *faulty) {
		bob := here.user(1)
		nodes := []*world{here, there}
		readers := make([]*reading, 16)
		var wait sync.WaitGroup
		for i := range readers {
			wait.Go(func() { readers[i] = insistOnReading(nodes[i%2], bob.devices[0]) })
		}
		wait.Wait()
		for _, node := range nodes {
			node.lookAgain(node.ctx)
		}
		var left []int
		newest := int64(0)
		for i, r := range readers {
			if r == nil {
				continue // was overtaken on its own node while it began
			}
			defer r.Close()
			r.mu.Lock()
			if newest = max(newest, r.number); r.ended == nil {
				left = append(left, i)
			}
			r.mu.Unlock()
		}
		if len(left) != 1 || readers[left[0]].number != newest {
			t.Fatalf("%v are left, want the newest one", left)
		}
		nodes[left[0]%2].goesOn(bob, readers[left[0]])
	})
}

// insistOnReading comes again as a client does. It gives nil if a newer subscription is there already.
func insistOnReading(w *world, device identity.DeviceID) *reading {
	for {
		r, err := w.tryToSubscribe(device, nil)
		var p *problem.Error
		switch {
		case err == nil:
			return r
		case !errors.As(err, &p):
			w.t.Errorf("Subscribe: %v", err)
			return nil
		case p.Code == problem.Superseded:
			return nil
		case p.Code != problem.StoreUnavailable:
			w.t.Errorf("Subscribe: %v", err)
			return nil
		}
	}
}

// keepingHub passes hints on, and keeps those about readers.
type keepingHub struct {
	*wakeup.Local[Message]
	mu   sync.Mutex
	kept []wakeup.Hint[Message]
}

func (h *keepingHub) Notify(hints ...wakeup.Hint[Message]) {
	h.mu.Lock()
	for _, hint := range hints {
		if hint.Event == wakeup.TakenOver {
			h.kept = append(h.kept, hint)
		}
	}
	h.mu.Unlock()
	h.Local.Notify(hints...)
}

// Hints about readers that come late, twice, or from somebody who makes them up, end nobody.
func TestContract6_OldHintsDoNotEndTheNewest(t *testing.T) {
	hub := &keepingHub{Local: wakeup.NewLocal[Message]()}
	twoNodes(t, hub, func(_ *testing.T, here, there *world, _ *faulty) {
		bob := here.user(1)
		older := here.subscribe(bob.devices[0], nil)
		newest := there.subscribe(bob.devices[0], nil)
		here.over(older)
		hub.mu.Lock()
		old := slices.Clone(hub.kept)
		hub.mu.Unlock()
		made := wakeup.Hint[Message]{Device: bob.devices[0], Event: wakeup.TakenOver, By: 12345}
		hub.Local.Notify(append(old, append(old, made)...)...)
		there.goesOn(bob, newest)
	})
}

// Two begin at once on two nodes, and each hears of the other before it is the reader.
func TestContract4_OfTwoThatCrossTheNewerIsLeft(t *testing.T) {
	twoNodes(t, wakeup.NewLocal[Message](), func(_ *testing.T, here, there *world, f *faulty) {
		bob := here.user(1)
		var newer *reading
		f.change(func() {
			f.afterClaim = func() error {
				newer = there.subscribe(bob.devices[0], nil)
				return nil
			}
		})
		older := here.subscribe(bob.devices[0], nil)
		here.over(older)
		there.goesOn(bob, newer)
	})
}

func TestContract4_OneThatIsOvertakenWhileItBeginsEndsNobody(t *testing.T) {
	broken(t, func(t *testing.T, w *world, f *faulty) {
		bob := w.user(1)
		var newer *reading
		f.change(func() {
			f.afterClaim = func() error {
				f.change(func() { f.afterClaim = nil })
				newer = w.subscribe(bob.devices[0], nil)
				return nil
			}
		})
		_, err := w.tryToSubscribe(bob.devices[0], nil)
		refused(t, err, problem.Superseded)
		w.goesOn(bob, newer)
	})
}

// A client ends a subscription that is about to be counted, and begins the next one: the first is counted behind it, and takes nothing over.
func TestContract4_OneThatIsEndedWhileItBeginsEndsNobody(t *testing.T) {
	broken(t, func(t *testing.T, w *world, f *faulty) {
		bob := w.user(1)
		ctx, end := context.WithCancel(w.ctx)
		var next *reading
		f.change(func() {
			f.beforeClaim = func() error {
				f.change(func() { f.beforeClaim = nil })
				end()
				next = w.subscribe(bob.devices[0], nil)
				return nil
			}
		})
		if _, err := w.Subscribe(ctx, bob.devices[0], nil); !errors.Is(err, context.Canceled) {
			t.Errorf("the one that was ended: %v", err)
		}
		w.goesOn(bob, next)
	})
}

// A subscription that does not begin leaves the one before it alone: with a cursor that is refused, without its caller, on a node
// that stops, or without the store.
func TestContract4_OneThatIsRefusedEndsNobody(t *testing.T) {
	twoNodes(t, deafHub{}, func(t *testing.T, here, there *world, f *faulty) {
		bob := here.user(1)
		older := there.subscribe(bob.devices[0], nil)
		device := bob.devices[0]

		ahead := here.cursor(bob, 9)
		_, err := here.tryToSubscribe(device, &ahead)
		refused(t, err, problem.CursorInvalid)

		ctx, cancel := context.WithCancel(here.ctx)
		f.change(func() { f.afterStanding = cancel })
		if _, err := here.Subscribe(ctx, device, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("without a caller: %v", err)
		}

		f.change(func() {
			f.afterStanding = nil
			f.beforeClaim = func() error { return fmt.Errorf("%w: gone", errTransient) }
		})
		_, err = here.tryToSubscribe(device, nil)
		refused(t, err, problem.StoreUnavailable)

		f.change(func() { f.beforeClaim, f.afterStanding = nil, here.stop })
		_, err = here.tryToSubscribe(device, nil)
		refused(t, err, problem.Stopping)

		there.goesOn(bob, older)
	})
}

// What a node has asked the database for may arrive when nobody waits for it any more, and the device is elsewhere.
func TestContract4_ALateClaimDoesNotEndTheNewest(t *testing.T) {
	twoNodes(t, deafHub{}, func(t *testing.T, here, there *world, f *faulty) {
		bob := here.user(1)
		row, _, err := here.store.standing(here.ctx, bob.devices[0])
		if err != nil {
			t.Fatal(err)
		}
		newest := there.subscribe(bob.devices[0], nil)
		if _, ok, err := f.store.claim(here.ctx, row.id, row.reader); ok || err != nil {
			t.Errorf("a late claim: %v, %v", ok, err)
		}
		there.goesOn(bob, newest)
	})
}

// A claim that was committed and whose answer was lost is nobody's. Who comes again is the reader.
func TestContract4_AClaimWhoseAnswerIsLost(t *testing.T) {
	twoNodes(t, deafHub{}, func(t *testing.T, here, there *world, f *faulty) {
		bob := here.user(1)
		older := there.subscribe(bob.devices[0], nil)
		f.change(func() {
			f.afterClaim = func() error {
				f.change(func() { f.afterClaim = nil })
				return fmt.Errorf("%w: cut", errTransient)
			}
		})
		_, err := here.tryToSubscribe(bob.devices[0], nil)
		refused(t, err, problem.StoreUnavailable)
		newer := here.subscribe(bob.devices[0], nil)
		there.lookAgain(there.ctx)
		there.over(older)
		here.goesOn(bob, newer)
	})
}

// Claims that meet at a database that is serializable are made again.
func TestSerializable_SubscriptionsThatMeet(t *testing.T) {
	t.Parallel()
	config := testdb.Config(t, database.PostgreSQL)
	config.URL += "&default_transaction_isolation=serializable"
	w := newWorld(t, testdb.OpenConfig(t, config), func(o *Options) { o.Hub = deafHub{} })
	nodes := []*world{w, w.node(func(o *Options) { o.Hub = deafHub{} })}
	bob := w.user(1)
	var last [2]*reading
	var wait sync.WaitGroup
	for i, node := range nodes {
		wait.Go(func() {
			for range 20 {
				r, err := node.tryToSubscribe(bob.devices[0], nil)
				if err != nil {
					t.Errorf("Subscribe: %v", err)
					return
				}
				t.Cleanup(r.Close)
				last[i] = r
			}
		})
	}
	wait.Wait()
	older, newer := 0, 1
	if last[0].number > last[1].number {
		older, newer = newer, older
	}
	nodes[older].lookAgain(w.ctx)
	nodes[older].over(last[older])
	nodes[newer].goesOn(bob, last[newer])
}

// A database that can only be read begins no subscription, and those that are open go on.
func TestContract4_WhatCanOnlyBeReadBeginsNothing(t *testing.T) {
	twoNodes(t, deafHub{}, func(t *testing.T, here, there *world, _ *faulty) {
		alice, bob := here.user(1), here.user(1)
		older := there.subscribe(bob.devices[0], nil)
		here.fill(alice, bob, 2)
		name := here.db.Pool.Config().ConnConfig.Database
		here.execute(`ALTER DATABASE "` + name + `" SET default_transaction_read_only = on`)
		here.db.Pool.Reset()
		_, err := here.tryToSubscribe(bob.devices[0], nil)
		refused(t, err, problem.StoreUnavailable)
		equal(t, "a page", numbers(here.waiting(bob.devices[0])), upTo(2))
		there.lookAgain(there.ctx)
		for _, want := range upTo(2) {
			if got := there.next(older).Number; got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		}
	})
}

package mailbox

import (
	"context"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

func TestContract9_ASendForAnotherVersionIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob, carol := w.user(1), w.user(2), w.user(1)
		for _, version := range []uint32{0, 2} {
			send := w.letter(alice, "x", carol, &user{id: bob.id, version: version, devices: bob.devices})
			_, err := w.Send(w.ctx, send)
			refused(t, err, problem.DeviceListChanged)
		}
		// All of the user's mailboxes move, also those whose devices stay; the removed device is not merely unknown to who
		// knows the old list only.
		gone := bob.devices[1]
		w.move(bob, []identity.DeviceID{{42}}, []identity.DeviceID{gone})
		_, err := w.Send(w.ctx, w.letter(alice, "x", &user{id: bob.id, version: 1, devices: []identity.DeviceID{bob.devices[0]}}))
		refused(t, err, problem.DeviceListChanged)
		_, err = w.Send(w.ctx, w.letter(alice, "x", &user{id: bob.id, version: 1, devices: []identity.DeviceID{gone}}))
		refused(t, err, problem.DeviceListChanged)
		_, err = w.Send(w.ctx, w.letter(alice, "x", &user{id: bob.id, version: 2, devices: []identity.DeviceID{gone}}))
		refused(t, err, problem.RecipientUnknown)
		w.must(w.letter(alice, "x", bob))
		if got := len(w.waiting(carol.devices[0])); got != 0 {
			t.Errorf("carol has %d messages of refused sends", got)
		}
	})
}

func TestContract1_ARemovedDeviceLosesItsMailboxAndSendsNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(2), w.user(1)
		w.fill(bob, alice, 3)
		gone := alice.devices[1]
		r := w.subscribe(gone, nil)
		w.next(r)
		stays := w.subscribe(alice.devices[0], nil)
		w.move(alice, nil, []identity.DeviceID{gone})

		_, err := w.patient(r)
		refused(t, err, problem.DeviceRemoved)
		_, err = w.Subscribe(w.ctx, gone, nil)
		refused(t, err, problem.DeviceRemoved)
		_, err = w.Page(w.ctx, gone, nil, 10)
		refused(t, err, problem.DeviceRemoved)
		_, err = w.Send(w.ctx, w.letter(&user{id: alice.id, devices: []identity.DeviceID{gone}}, "x", bob))
		refused(t, err, problem.DeviceRemoved)
		if got := w.status(gone); !got.Closed || got.Waiting != 0 || got.WaitingBytes != 0 || got.ListVersion != 2 {
			t.Errorf("the closed mailbox stands at %+v", got)
		}
		if n, err := w.db.Ent.Message.Query().Count(w.ctx); err != nil || n != 3 {
			t.Errorf("%d messages are left, %v; want the other device's 3", n, err)
		}
		for _, want := range upTo(3) {
			if got := w.next(stays).Number; got != want {
				t.Errorf("the other device got %d, want %d", got, want)
			}
		}
	})
}

// A node that was not told of a removal finds out when it looks again.
func TestContract1_ARemovedDevicesReaderEndsOnAnotherNode(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		bob := w.user(1)
		other := w.node(looksOften)
		r := other.subscribe(bob.devices[0], nil)
		w.move(bob, nil, bob.devices[:1:1])
		_, err := other.patient(r)
		refused(t, err, problem.DeviceRemoved)
	})
}

// A directory's transaction that fails leaves all as it was.
func TestContract9_AListThatDoesNotCommitMovesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(2)
		w.fill(alice, bob, 1)
		tx, err := w.db.Ent.Tx(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.moveIn(tx, bob, 2, []identity.DeviceID{{1}}, bob.devices[1:]); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		w.fill(alice, bob, 1)
		equal(t, "numbers", numbers(w.waiting(bob.devices[1])), upTo(2))
	})
}

// Lists are published while messages are sent: no envelope is numbered for a list that has moved on. Each version removes
// a device and adds one, so that a message for another version would show.
func TestContract9_AListPublishedBetweenCheckAndCommit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const versions, senders = 25, 6
		bob := w.user(2)
		var mu sync.Mutex
		accepted := make(map[identity.DeviceID]int)
		listed := map[uint32][]identity.DeviceID{1: {bob.devices[0], bob.devices[1]}}
		current := *bob
		nodes := []*world{w, w.node()}
		ctx, stop := context.WithCancel(w.ctx)
		var wait sync.WaitGroup
		for i, sender := range w.users(senders) {
			wait.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					mu.Lock()
					to := current
					mu.Unlock()
					send := w.letter(sender, "x", &to)
					// An acceptance names the version that it was sealed for.
					receipt, err := nodes[(i+n)%2].Send(w.ctx, send)
					switch code := problem.CodeOf(err); {
					case err == nil:
						mu.Lock()
						for _, d := range receipt.Deliveries {
							accepted[d.Device]++
						}
						mu.Unlock()
					case code != problem.DeviceListChanged:
						t.Errorf("got %v", err)
						return
					}
				}
			})
		}
		for version := uint32(2); version <= versions; version++ {
			var added identity.DeviceID
			random(added[:])
			before := listed[version-1]
			next := &user{id: bob.id, version: version, devices: []identity.DeviceID{before[1], added}}
			if err := nodes[version%2].tryMove(next, version, []identity.DeviceID{added}, before[:1]); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			listed[version], current = next.devices, *next
			mu.Unlock()
			waitFor(t, "a message under the new list", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return accepted[added] > 0
			})
		}
		stop()
		wait.Wait()
		// What a device of the last list has is exactly what was accepted for it; a closed one has nothing.
		for version, devices := range listed {
			for _, device := range devices {
				status := w.status(device)
				row, _, err := w.store.standing(w.ctx, device)
				if err != nil {
					t.Fatal(err)
				}
				if row.last != int64(accepted[device]) {
					t.Errorf("version %d: %d envelopes were numbered, %d accepted", version, row.last, accepted[device])
				}
				if status.Closed && status.Waiting > 0 {
					t.Errorf("a closed mailbox holds %d messages", status.Waiting)
				}
			}
		}
	}, func(o *Options) { o.Limits = Limits{MaxMessages: 1 << 20, MaxMessagesPerSender: 1 << 20} })
}

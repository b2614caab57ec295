package mailbox

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

// again repeats a send and expects the first answer.
func (w *world) again(send Send, first Receipt) {
	w.t.Helper()
	receipt, err := w.Send(w.ctx, send)
	if err != nil {
		w.t.Fatalf("repeated: %v", err)
	}
	if diff := cmp.Diff(first, receipt); diff != "" {
		w.t.Fatalf("repeated: %s", diff)
	}
}

func TestContract2_ARepeatedSendIsTheSameMessage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(2)
		send := w.letter(alice, "x", bob)
		first := w.must(send)
		w.clock.move(time.Hour)
		w.again(send, first)
		w.again(send, first)
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(1))
		if got := w.status(alice.devices[0]).Accepted; got != 2 {
			t.Errorf("acceptedCount is %d after 2 envelopes sent three times", got)
		}
	})
}

func TestContract2_ARetryWhileTheFirstTryIsInFlight(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		nodes := []*world{w, w.node()}
		for range 20 {
			send := w.letter(alice, "x", bob)
			var wait sync.WaitGroup
			receipts := make([]Receipt, 8)
			errs := make([]error, len(receipts))
			for i := range receipts {
				wait.Go(func() { receipts[i], errs[i] = nodes[i%2].Send(w.ctx, send) })
			}
			wait.Wait()
			for i, err := range errs {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(receipts[0], receipts[i]); diff != "" {
					t.Fatalf("two tries, two answers: %s", diff)
				}
			}
		}
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(20))
	})
}

func TestContract2_ARetryAfterTheRecipientAcknowledged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		send := w.letter(alice, "x", bob)
		first := w.must(send)
		w.acknowledge(bob, 1)
		w.again(send, first)
		if got := w.waiting(bob.devices[0]); len(got) != 0 {
			t.Errorf("the message came again: %v", numbers(got))
		}
	})
}

func TestContract2_ARememberedAnswerWinsOverEveryOtherCheck(t *testing.T) {
	each(t, func(_ *testing.T, w *world) {
		alice, bob := w.user(2), w.user(2)
		send := w.letter(alice, "x", bob)
		first := w.must(send)

		w.move(bob, nil, nil)
		w.again(send, first)
		w.move(bob, nil, []identity.DeviceID{bob.devices[0]})
		w.again(send, first)
		// The sender's device is gone, too.
		w.move(alice, nil, []identity.DeviceID{alice.devices[0]})
		w.again(send, first)
	})
}

func TestContract2_ARememberedFullMailboxStaysFull(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob, carol := w.user(1), w.user(1), w.user(10)
		w.fill(alice, bob, 2)
		send := w.letter(alice, "x", carol, bob)
		first, err := w.Send(w.ctx, send)
		if err != nil || first.Deliveries[10].Stored || !first.Deliveries[9].Stored || !first.Deliveries[0].Stored {
			t.Fatalf("got %+v, %v; want ten stored and the last full", first, err)
		}
		w.acknowledge(bob, 2)
		w.again(send, first)
		if got := w.waiting(bob.devices[0]); len(got) != 0 {
			t.Error("a repeated send filled a mailbox that its first answer called full")
		}
	}, func(o *Options) { o.Limits.MaxMessages = 2 })
}

func TestContract2_TheSameIDWithOtherContentIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob, carol := w.user(2), w.user(2), w.user(1)
		send := w.letter(alice, "x", bob)
		first := w.must(send)
		for name, change := range map[string]func(*Send){
			"other text":      func(s *Send) { *s = w.letter(alice, "y", bob) },
			"other recipient": func(s *Send) { *s = w.letter(alice, "x", carol) },
			"one more":        func(s *Send) { *s = w.letter(alice, "x", bob, carol) },
			"other version":   func(s *Send) { *s = w.letter(alice, "x", bob); s.Recipients[0].ListVersion = 2 },
			"other lifetime":  func(s *Send) { *s = w.letter(alice, "x", bob); s.ExpiresIn = time.Hour },
			"other kind":      func(s *Send) { *s = w.letter(alice, "x", bob); s.Recipients[0].Envelopes[1].Kind = SessionStart },
			"one less": func(s *Send) {
				*s = w.letter(alice, "x", bob)
				s.Recipients[0].Envelopes = s.Recipients[0].Envelopes[:1]
			},
		} {
			t.Run(name, func(t *testing.T) {
				var other Send
				change(&other)
				other.MessageID = send.MessageID
				_, err := w.Send(w.ctx, other)
				refused(t, err, problem.MessageIDReused)
			})
		}
		w.again(send, first)
		// The id is the device's own: another device has its own.
		other := w.letter(&user{id: alice.id, devices: alice.devices[1:]}, "y", bob)
		other.MessageID = send.MessageID
		w.must(other)
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(2))
	})
}

func TestContract2_ARefusalDoesNotUseTheIDUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		send := w.letter(alice, "old", bob)
		w.move(bob, nil, nil)
		_, err := w.Send(w.ctx, send)
		refused(t, err, problem.DeviceListChanged)

		sealedAgain := w.letter(alice, "new", bob)
		sealedAgain.MessageID = send.MessageID
		w.must(sealedAgain)
		if got := w.waiting(bob.devices[0]); len(got) != 1 || string(got[0].Ciphertext) != "new" {
			t.Errorf("bob has %d messages", len(got))
		}
	})
}

func TestContract2_IDsTooOldOrFromTheFutureAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		now := w.clock.Now()
		for name, c := range map[string]struct {
			made time.Time
			ok   bool
		}{
			"now":                       {now, true},
			"a little ahead":            {now.Add(clockTolerance), true},
			"too far ahead":             {now.Add(clockTolerance + time.Millisecond), false},
			"a year ahead":              {now.AddDate(1, 0, 0), false},
			"seven days old":            {now.Add(-MessageIDLifetime), true},
			"older than seven days":     {now.Add(-MessageIDLifetime - time.Millisecond), false},
			"of the beginning of time":  {time.UnixMilli(0), false},
			"of the end of UUIDv7 time": {time.UnixMilli(1<<48 - 1), false},
		} {
			t.Run(name, func(t *testing.T) {
				send := w.letter(alice, "x", bob)
				send.MessageID = idAt(c.made)
				receipt, err := w.Send(w.ctx, send)
				if c.ok {
					if err != nil || !receipt.Deliveries[0].Stored {
						t.Fatalf("got %v", err)
					}
					w.again(send, receipt)
					return
				}
				refused(t, err, problem.MessageIDExpired)
			})
		}
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(3))
	})
}

func TestContract2_AnIDThatIsNoUUIDv7IsBadInput(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		v7 := w.newID()
		version4, variant := v7, v7
		version4[6] = version4[6]&0x0f | 0x40
		variant[8] = 0xc0
		for name, id := range map[string]uuid.UUID{"nil": {}, "version 4": version4, "another variant": variant, "all ones": uuid.Max} {
			t.Run(name, func(t *testing.T) {
				send := w.letter(alice, "x", bob)
				send.MessageID = id
				_, err := w.Send(w.ctx, send)
				refused(t, err, problem.BadInput)
			})
		}
	})
}

// A clock that is set back does not have the server forget what it has answered: who repeats a send would send it a second time.
func TestContract2_AClockThatWasSetBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		send := w.letter(alice, "x", bob)
		first := w.must(send)
		for range 6 {
			w.clock.move(-24 * time.Hour)
			w.tidy(w.ctx)
			w.again(send, first)
		}
		other := w.letter(alice, "y", bob)
		other.MessageID = idAt(w.clock.Now().Add(time.Hour))
		_, err := w.Send(w.ctx, other)
		refused(t, err, problem.MessageIDExpired)
		w.clock.move(time.Hour)
		w.must(other) // the refusal has not used the id up
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(2))
	})
}

// A message is remembered for as long as its id is taken, across midnight and while days are forgotten.
func TestContract2_SevenDaysLong(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		send := w.letter(alice, "x", bob)
		first := w.must(send)
		for range 7 {
			w.clock.move(24 * time.Hour)
			w.tidy(w.ctx)
			w.again(send, first)
		}
		w.clock.move(time.Millisecond)
		_, err := w.Send(w.ctx, send)
		refused(t, err, problem.MessageIDExpired)
		equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(1))

		// Two days later nothing of it is left.
		w.clock.move(48 * time.Hour)
		w.tidy(w.ctx)
		if got := w.remembered(); got != 0 {
			t.Errorf("%d sends are still remembered", got)
		}
	})
}

// What is remembered tells nobody who wrote to whom: hashes, and no recipient.
func TestContract2_WhatIsRememberedNamesNobody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		w.must(w.letter(alice, "x", bob))
		var day, acceptedAt int64
		var key, content, full []byte
		err := w.db.SQL.QueryRowContext(w.ctx, `SELECT day, key, content, accepted_at, full_deliveries FROM sends`).
			Scan(&day, &key, &content, &acceptedAt, &full)
		if err != nil {
			t.Fatal(err)
		}
		if len(key) != 32 || len(content) != 32 || full != nil || day != int64(dayOf(w.clock.Now())) {
			t.Errorf("remembered: day %d, key of %d, content of %d bytes, full %v", day, len(key), len(content), full)
		}
	})
}

func (w *world) remembered() (n int) {
	w.t.Helper()
	if err := w.db.SQL.QueryRowContext(w.ctx, `SELECT count(*) FROM sends`).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

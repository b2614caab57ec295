package mailbox

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

func TestContract1_WhatIsAnsweredIsInTheMailboxes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(2), w.user(2)
		w.move(alice, nil, nil) // the sender's list is at version 2
		nonce := bytes.Repeat([]byte{7}, nonceLength)
		send := Send{MessageID: w.newID(), SenderUser: alice.id, SenderDevice: alice.devices[0], ExpiresIn: time.Hour, Recipients: []Recipient{
			{User: bob.id, ListVersion: 1, Envelopes: []Envelope{
				{Device: bob.devices[0], Kind: Box, Ciphertext: []byte("box"), Nonce: nonce},
				{Device: bob.devices[1], Kind: SessionStart, Ciphertext: []byte("start")},
			}},
			{User: alice.id, ListVersion: 2, Envelopes: []Envelope{{Device: alice.devices[1], Kind: Session, Ciphertext: []byte("copy")}}},
		}}
		now := w.clock.Now()
		want := Receipt{MessageID: send.MessageID, AcceptedAt: now, Deliveries: []Delivery{
			{bob.devices[0], true}, {bob.devices[1], true}, {alice.devices[1], true},
		}}
		if diff := cmp.Diff(want, w.must(send)); diff != "" {
			t.Errorf("receipt: %s", diff)
		}
		message := Message{
			Number: 1, MessageID: send.MessageID, SenderUser: alice.id, SenderDevice: alice.devices[0], SenderListVersion: 2,
			SentAt: now, ExpiresAt: now.Add(time.Hour),
		}
		for device, content := range map[identity.DeviceID]Envelope{
			bob.devices[0]: send.Recipients[0].Envelopes[0], bob.devices[1]: send.Recipients[0].Envelopes[1],
			alice.devices[1]: send.Recipients[1].Envelopes[0],
		} {
			want := message
			want.Kind, want.Ciphertext, want.Nonce = content.Kind, content.Ciphertext, content.Nonce
			diff := cmp.Diff([]Message{want}, w.waiting(device), cmpopts.IgnoreFields(Message{}, "ID", "Cursor"))
			if diff != "" {
				t.Errorf("mailbox: %s", diff)
			}
		}
		if got := w.status(alice.devices[0]).Accepted; got != 3 {
			t.Errorf("acceptedCount is %d after 3 envelopes", got)
		}
		if got := w.status(bob.devices[0]); got.Waiting != 1 || got.WaitingBytes != 3 || got.Accepted != 0 {
			t.Errorf("bob's mailbox stands at %+v", got)
		}
	})
}

func TestContract1_ALiveReaderIsHandedTheSameMessageAsThePage(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		r := w.subscribe(bob.devices[0], nil)
		w.nothing(r)
		w.must(w.letter(alice, "live", bob))
		live := w.next(r)
		if diff := cmp.Diff(w.waiting(bob.devices[0]), []Message{live}, cmp.AllowUnexported(Cursor{})); diff != "" {
			t.Errorf("from the store (-) and from memory (+): %s", diff)
		}
	})
}

func TestBadInput_StoresNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		carol := &user{id: identity.UserID{1}, version: 1, devices: bob.devices}
		for name, spoil := range map[string]func(*Send){
			"no recipient": func(s *Send) { s.Recipients = nil },
			"no envelope":  func(s *Send) { s.Recipients[0].Envelopes = nil },
			"a recipient without envelopes": func(s *Send) {
				s.Recipients = append(s.Recipients, Recipient{User: w.user(1).id, ListVersion: 1})
			},
			"a user twice":        func(s *Send) { s.Recipients = append(s.Recipients, Recipient{User: bob.id}) },
			"a device twice":      func(s *Send) { s.Recipients = append(s.Recipients, w.letter(alice, "x", carol).Recipients...) },
			"empty ciphertext":    func(s *Send) { s.Recipients[0].Envelopes[0].Ciphertext = nil },
			"ciphertext too long": func(s *Send) { s.Recipients[0].Envelopes[0].Ciphertext = make([]byte, 66_561) },
			"unknown kind":        func(s *Send) { s.Recipients[0].Envelopes[0].Kind = 4 },
			"box without nonce":   func(s *Send) { s.Recipients[0].Envelopes[0].Kind = Box },
			"box with short nonce": func(s *Send) {
				s.Recipients[0].Envelopes[0] = Envelope{bob.devices[0], Box, []byte("x"), make([]byte, 23)}
			},
			"session with nonce":       func(s *Send) { s.Recipients[0].Envelopes[0].Nonce = make([]byte, nonceLength) },
			"expires before it begins": func(s *Send) { s.ExpiresIn = -1 },
			"too many envelopes": func(s *Send) {
				for range 200 {
					var device identity.DeviceID
					random(device[:])
					s.Recipients[0].Envelopes = append(s.Recipients[0].Envelopes, Envelope{Device: device, Kind: Session, Ciphertext: []byte("x")})
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				send := w.letter(alice, "x", bob)
				spoil(&send)
				_, err := w.Send(w.ctx, send)
				refused(t, err, problem.BadInput)
			})
		}
		if got := w.status(bob.devices[0]).Waiting; got != 0 {
			t.Errorf("%d messages were stored", got)
		}
	})
}

func TestSend_TheLargestThatIsAdmittedIsStored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, many := w.user(1), w.user(200)
		send := w.letter(alice, string(make([]byte, 66_560)), many)
		if got := len(w.must(send).Deliveries); got != 200 {
			t.Errorf("%d deliveries", got)
		}
		page, err := w.Page(w.ctx, many.devices[199], nil, 1)
		if err != nil || len(page.Messages) != 1 || len(page.Messages[0].Ciphertext) != 66_560 {
			t.Errorf("the last device has %d messages, error %v", len(page.Messages), err)
		}
	})
}

func TestSend_RecipientsThatDoNotExistAreRefusedAsAWhole(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob, carol := w.user(1), w.user(1), w.user(1)
		stranger := &user{id: identity.UserID{9}, version: 1, devices: []identity.DeviceID{{9}}}
		_, err := w.Send(w.ctx, w.letter(alice, "x", bob, stranger))
		refused(t, err, problem.RecipientUnknown)

		// A device of somebody else under bob's name.
		_, err = w.Send(w.ctx, w.letter(alice, "x", &user{id: bob.id, version: 1, devices: []identity.DeviceID{bob.devices[0], carol.devices[0]}}))
		refused(t, err, problem.RecipientUnknown)

		if got := len(w.waiting(bob.devices[0])); got != 0 {
			t.Errorf("bob got %d messages of sends that were refused", got)
		}
		if got := w.status(alice.devices[0]).Accepted; got != 0 {
			t.Errorf("acceptedCount is %d", got)
		}
	})
}

func TestSend_ASenderWithoutAMailboxIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bob := w.user(1)
		stranger := &user{id: identity.UserID{9}, version: 1, devices: []identity.DeviceID{{9}}}
		_, err := w.Send(w.ctx, w.letter(stranger, "x", bob))
		refused(t, err, problem.DeviceRemoved)
	})
}

// A caller who has gone away has not taken the message with them.
func TestSend_GoesOnWithoutItsCaller(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		r := w.subscribe(bob.devices[0], nil)
		send := w.letter(alice, "x", bob)
		// The caller leaves as soon as the send is on its way.
		ctx, leave := context.WithCancel(w.ctx)
		gate := newGate(newStore(w.db))
		held := newNodeOver(t, w.db, gate, w.clock, func(o *Options) { o.Hub = w.hub })
		done := make(chan error, 1)
		go func() {
			_, err := held.Send(ctx, send)
			done <- err
		}()
		<-gate.arrived
		leave()
		err := <-done
		refused(t, err, problem.OutcomeUnknown)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error does not say that the caller's context ended: %v", err)
		}
		close(gate.open)
		if got := w.next(r).MessageID; got != send.MessageID {
			t.Errorf("another message came: %v", got)
		}
		w.must(send)
		if got := len(w.waiting(bob.devices[0])); got != 1 {
			t.Errorf("%d messages wait, want 1", got)
		}
	})
}

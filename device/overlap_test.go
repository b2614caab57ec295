package device

import (
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// Several askers share a device's records: goroutines, and other programs. Of two answers of an honest server the earlier may come last.

func TestAnEarlierAnswerThatComesLastIsNoRollback_S3_5(t *testing.T) {
	a := newAttack(t)
	nobody := UserAnswer{User: a.alice.User} // asked before she had registered
	a.bob.fetch(a.answer(&FetchUser{User: a.alice.User}))
	earlier := a.answer(&FetchUser{User: a.alice.User, Since: 1})
	a.alice.publish(a.alice.entry)
	a.bob.fetch(a.answer(&FetchUser{User: a.alice.User, Since: 1}))
	for _, late := range []UserAnswer{nobody, earlier} {
		if alarm := a.bob.fetch(late); alarm != nil {
			t.Errorf("an answer of before raises the alarm %q", alarm.Reason)
		}
	}
	if held := a.bob.chainOf(a.alice.User).Version(); held != 2 {
		t.Errorf("version %d is held, want 2", held)
	}
}

// The one asker was told that there is no such user, the other one got the list and is sending: the message has not failed.
func TestWhatIsUnderWayIsNotGivenUp(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.joinWith(identity.ProtocolSession), w.joinWith(identity.ProtocolSession)
	message := alice.compose(bob.User, "hello")
	giveUp := func() {
		alice.step(func(h Host) (Step, error) { return h.GiveUp(bob.User, RecipientUnknown) })
		if now := must(alice.host().Message(bob.User, message.Number)); now.State != Queued {
			t.Fatalf("the message has become %+v", now)
		}
	}
	alice.fetch(alice.answer(&FetchUser{User: bob.User}))
	giveUp()
	alice.sendNext(bob.User) // starts a session
	request := sendOf(t, alice.step(func(h Host) (Step, error) { return h.NextSend(bob.User) }))
	giveUp()
	alice.step(func(h Host) (Step, error) { return h.GiveUp(bob.User, ListRefused) })
	if _, ok := w.accept(alice, request); !ok {
		t.Fatal("refused")
	}
	alice.step(func(h Host) (Step, error) { return h.Accepted(request, Receipt{AcceptedAt: w.now}) })
	if now := must(alice.host().Message(bob.User, message.Number)); now.State != Sent || now.Counter != 1 {
		t.Fatalf("the message has become %+v", now)
	}
}

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
		again := a.bob.asksAgain(late)
		if again.Since != 2 {
			t.Fatalf("asks again for what comes after version %d, want 2", again.Since)
		}
		if alarm := a.bob.fetch(a.answer(again)); alarm != nil {
			t.Errorf("an answer of before raises the alarm %q", alarm.Reason)
		}
	}
	if held := a.bob.chainOf(a.alice.User).Version(); held != 2 {
		t.Errorf("version %d is held, want 2", held)
	}
}

// Whatever a device asked with, a server that shows less than it holds is found out.
func TestAttackShowsLessToOneWhoAsksForAll_S3_5(t *testing.T) {
	a := grown(t)
	lie := UserAnswer{User: a.alice.User}
	lie.Since = a.bob.asksAgain(lie).Since
	a.bob.fetch(lie)
	a.alarm(a.bob, a.alice.User, Rollback, 2)
}

// asksAgain is what a party asks for after an answer that it takes nothing from.
func (p *party) asksAgain(answer UserAnswer) *FetchUser {
	p.t.Helper()
	var alarm *Alarm
	step := p.step(func(h Host) (step Step, err error) {
		step, alarm, err = h.Fetched(answer)
		return step, err
	})
	if alarm != nil || len(step.Requests) != 1 {
		p.t.Fatalf("alarm %+v, %d requests", alarm, len(step.Requests))
	}
	again, ok := step.Requests[0].(*FetchUser)
	if !ok {
		p.t.Fatalf("asks for %T", step.Requests[0])
	}
	return again
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

package device

import (
	"bytes"
	"slices"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// The attacker's list hashes to the attacker's id, not to Alice's (S3.1).
func TestAttackSwapsListOfSender_S3_1(t *testing.T) {
	a := newAttack(t)
	lie := func(request *FetchUser) UserAnswer {
		answer := a.answer(&FetchUser{User: a.mallory.User})
		answer.User = request.User
		return answer
	}
	step := a.bob.receiveFrom(a.envelope, lie)
	if got := refusal(step); got != SenderListRefused {
		t.Fatalf("refused for %q, want %q", got, SenderListRefused)
	}
	a.alarm(a.bob, a.alice.User, ForgedList, 0)
}

func TestAttackSwapsListOfRecipient_S3_1(t *testing.T) {
	a := newAttack(t)
	a.lists[a.bob.User] = a.lists[a.mallory.User]
	carol := a.join()
	if m := carol.send(a.bob.User, "secret"); m.State != Failed {
		t.Fatalf("state %s, want failed: it would have been sealed for the attacker", m.State)
	}
	if got := a.mallory.mail(); len(got) > 0 {
		t.Fatal("the attacker has got an envelope")
	}
	a.alarm(carol, a.bob.User, ForgedList, 0)
}

// alarm asserts the last alarm about a user, that it waits to be shown once, and which version is held.
func (a *attack) alarm(p *party, user identity.UserID, reason AlarmReason, held uint32) {
	a.t.Helper()
	alarm := must(p.host().LastAlarm(user))
	if alarm == nil || alarm.Reason != reason {
		a.t.Fatalf("alarm %+v, want %s", alarm, reason)
	}
	shown := 0
	for _, notice := range must(p.host().Waiting(0, 100)) {
		if notice.Alarm != nil {
			shown++
		}
	}
	if shown != 1 {
		a.t.Fatalf("%d alarms wait, want 1", shown)
	}
	if version := p.chainOf(user).Version(); version != held {
		a.t.Fatalf("version %d is held, want %d as before", version, held)
	}
}

// grown gives Bob two versions of Alice's list.
func grown(t *testing.T) *attack {
	a := newAttack(t)
	a.bob.receive(a.envelope)
	a.alice.addDevice(identity.ProtocolBox)
	if alarm := a.bob.fetch(a.answer(&FetchUser{User: a.alice.User, Since: 1})); alarm != nil {
		t.Fatalf("alarm %+v about an honest list", alarm)
	}
	for _, notice := range must(a.bob.host().Waiting(0, 10)) {
		a.bob.step(func(h Host) (Step, error) { return h.HandedOver(notice.Number) })
	}
	return a
}

func TestAttackReplaysOlderList_S3_5(t *testing.T) {
	a := grown(t)
	answer := UserAnswer{User: a.alice.User, Since: 2, Found: true, Version: 1, Statements: a.lists[a.alice.User][:1]}
	for range 2 { // the same lie twice is one alarm
		if alarm := a.bob.fetch(answer); alarm == nil {
			t.Fatal("no alarm")
		}
	}
	a.alarm(a.bob, a.alice.User, Rollback, 2)
}

func TestAttackReturnsShorterChain_S3_5(t *testing.T) {
	a := grown(t)
	a.bob.fetch(UserAnswer{User: a.alice.User, Since: 2, Found: true, Version: 1})
	a.alarm(a.bob, a.alice.User, Rollback, 2)
}

func TestAttackClaimsThatPeerIsGone_S3_5(t *testing.T) {
	a := grown(t)
	a.bob.fetch(UserAnswer{User: a.alice.User, Since: 2})
	a.alarm(a.bob, a.alice.User, Rollback, 2)
}

func TestAttackEquivocates_S3_4(t *testing.T) {
	a := grown(t)
	first := must(identity.ParseDeviceList(a.lists[a.alice.User][0]))
	other := a.alice.sign(first, a.alice.entry)
	a.bob.fetch(UserAnswer{User: a.alice.User, Found: true, Version: 2, Statements: [][]byte{other}})
	a.alarm(a.bob, a.alice.User, Equivocation, 2)
	if alarm := must(a.bob.host().LastAlarm(a.alice.User)); !bytes.Equal(alarm.Evidence, other) {
		t.Fatal("the alarm does not keep the evidence")
	}
}

func TestAttackEquivocatesLater_S3_4(t *testing.T) {
	a := grown(t)
	first := must(identity.ParseDeviceList(a.lists[a.alice.User][0]))
	second := a.alice.sign(first, a.alice.entry)
	third := a.alice.sign(must(identity.ParseDeviceList(second)), a.alice.entry)
	a.bob.fetch(UserAnswer{User: a.alice.User, Found: true, Version: 3, Statements: [][]byte{third}})
	a.alarm(a.bob, a.alice.User, Equivocation, 2)
}

// Half of an answer is not taken over either.
func TestAttackAppendsForgedVersion_S3_3(t *testing.T) {
	a := newAttack(t)
	a.alice.addDevice(identity.ProtocolBox)
	forged := slices.Clone(a.lists[a.alice.User][1])
	forged[len(forged)-1] ^= 1
	a.bob.fetch(UserAnswer{
		User: a.alice.User, Found: true, Version: 2, Statements: [][]byte{a.lists[a.alice.User][0], forged},
	})
	a.alarm(a.bob, a.alice.User, ForgedList, 0)
}

func TestAttackSaysThatUserHasNoList(t *testing.T) {
	a := newAttack(t)
	a.bob.fetch(UserAnswer{User: a.alice.User, Found: true, Version: 1})
	a.alarm(a.bob, a.alice.User, ForgedList, 0)
}

func TestAttackDeniesSender(t *testing.T) {
	a := newAttack(t)
	delete(a.lists, a.alice.User)
	a.refused(a.bob, a.envelope, UnknownSender)
}

// C2.1: what names a list that the server does not show is not shown.
func TestAttackWithholdsNewerList_C2_1(t *testing.T) {
	a := newAttack(t)
	a.bob.fetch(a.answer(&FetchUser{User: a.alice.User}))
	a.alice.addDevice(identity.ProtocolBox)
	a.alice.fetch(a.answer(&FetchUser{User: a.alice.User, Since: 1}))
	a.alice.send(a.bob.User, "from version 2")
	envelope := a.bob.mail()[0]
	before := a.bob.snapshot()
	step := must(a.bob.host().Receive(envelope))
	if request, ok := step.Requests[0].(*FetchUser); !ok || request.User != a.alice.User || request.Since != 1 || len(step.Writes) > 0 {
		t.Fatalf("step %+v, want a fetch and nothing else", step)
	}
	if len(before) != len(a.bob.snapshot()) {
		t.Fatal("records changed")
	}
	withhold := func(request *FetchUser) UserAnswer { return UserAnswer{User: request.User, Found: true, Version: 1} }
	if got := refusal(a.bob.receiveFrom(envelope, withhold)); got != ListWithheld {
		t.Fatalf("refused for %q, want %q", got, ListWithheld)
	}
}

func TestNewerListIsFetchedBeforeShowing_C2_1(t *testing.T) {
	a := newAttack(t)
	a.bob.receive(a.envelope)
	a.alice.addDevice(identity.ProtocolBox)
	a.alice.fetch(a.answer(&FetchUser{User: a.alice.User, Since: 1}))
	a.alice.send(a.bob.User, "from version 2")
	a.bob.receiveAll(a.bob.mail())
	if texts := a.bob.texts(a.alice.User); len(texts) != 2 {
		t.Fatalf("history %q, want both", texts)
	}
	if version := a.bob.chainOf(a.alice.User).Version(); version != 2 {
		t.Fatalf("version %d is held, want 2", version)
	}
}

package device

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// knows makes a party hold another one's chain, and gives the safety number that it sees.
func (p *party) knows(other *party) cryptobox.SafetyNumber {
	p.t.Helper()
	p.fetch(p.answer(&FetchUser{User: other.User}))
	return must(p.host().SafetyNumber(other.User))
}

// verifies compares what the other side shows, honestly.
func (p *party) verifies(other *party) {
	p.t.Helper()
	p.knows(other)
	shown := other.knows(p).Code()
	p.step(func(h Host) (Step, error) { return h.Verify(other.User, shown) })
}

func (p *party) names(name string, user identity.UserID) {
	p.t.Helper()
	p.step(func(h Host) (Step, error) { return h.AddContact(Contact{Name: name, User: user}) })
}

// cannotSend asserts that nothing can be sent to a user, and that trying changes nothing.
func (p *party) cannotSend(to identity.UserID, want error) {
	p.t.Helper()
	if step, _, err := p.host().Compose(to, "hello"); !errors.Is(err, want) || len(step.Writes) > 0 {
		p.t.Fatalf("Compose: %v with %d writes, want %v", err, len(step.Writes), want)
	}
}

// changes gives the notices of changed contacts that wait.
func (p *party) changes() (alarms []Alarm) {
	p.t.Helper()
	for _, notice := range must(p.host().Waiting(0, 100)) {
		if notice.Alarm != nil && notice.Alarm.Reason == ContactChanged {
			alarms = append(alarms, *notice.Alarm)
		}
	}
	return alarms
}

func TestVerify_F6(t *testing.T) {
	a := newAttack(t)
	if _, err := a.alice.host().SafetyNumber(a.mallory.User); !errors.Is(err, ErrNoList) {
		t.Fatalf("%v, want ErrNoList", err)
	}
	if _, err := a.alice.host().SafetyNumber(a.alice.User); !errors.Is(err, ErrToSelf) {
		t.Fatalf("%v, want ErrToSelf", err)
	}
	a.alice.verifies(a.bob)
	if trust := must(a.alice.host().Trust(a.bob.User)); !trust.Verified.Equal(a.now) {
		t.Fatalf("trust %+v, want verified now", trust)
	}
	if trust := must(a.bob.host().Trust(a.alice.User)); !trust.Verified.IsZero() {
		t.Fatal("the other side is verified without having compared")
	}
	a.alice.step(func(h Host) (Step, error) { return h.Unverify(a.bob.User) })
	if _, kept := a.alice.records[trustKey(a.bob.User)]; kept {
		t.Fatal("a record without content is kept")
	}
}

// Who stands in the middle has a key of his own for each side, and neither of them takes the other's number.
func TestAttackStandsBetween_F4(t *testing.T) {
	a := newAttack(t)
	second := a.join() // Mallory's other face
	a.alice.knows(a.mallory)
	shown := a.bob.knows(second)
	for _, text := range []string{shown.Code(), shown.String()} {
		step, err := a.alice.host().Verify(a.mallory.User, text)
		if !errors.Is(err, cryptobox.ErrSafetyOthers) && !errors.Is(err, cryptobox.ErrSafetyMismatch) || len(step.Writes) > 0 {
			t.Fatalf("%v with %d writes", err, len(step.Writes))
		}
	}
}

// F6: a verification of one key is none of another, however the record came there.
func TestVerificationOfAnotherKey_F6(t *testing.T) {
	a := newAttack(t)
	a.alice.verifies(a.bob)
	a.alice.records[trustKey(a.mallory.User)] = a.alice.records[trustKey(a.bob.User)]
	if trust := must(a.alice.host().Trust(a.mallory.User)); !trust.Verified.IsZero() {
		t.Fatal("Bob's verification verifies Mallory")
	}
}

func TestContactChanges_F7(t *testing.T) {
	a := newAttack(t)
	a.alice.verifies(a.bob)
	a.alice.names("bob", a.bob.User)
	if _, err := a.alice.host().AddContact(Contact{Name: "BOB", User: a.mallory.User}); !errors.Is(err, ErrContactTaken) {
		t.Fatalf("%v, want ErrContactTaken: nothing changes silently", err)
	}
	a.alice.step(func(h Host) (Step, error) {
		return h.ReplaceContact(Contact{Name: "Bob", User: a.mallory.User})
	})
	changes := a.alice.changes()
	if len(changes) != 1 || changes[0].User != a.mallory.User || changes[0].Former != a.bob.User || changes[0].Name != "Bob" {
		t.Fatalf("alarms %+v, want one about Bob's name", changes)
	}
	user := must(a.alice.host().Lookup("bob"))
	if user != a.mallory.User {
		t.Fatalf("the name stands for %s", user)
	}
	a.alice.cannotSend(user, ErrContactChanged)
	if trust := must(a.alice.host().Trust(user)); !trust.Verified.IsZero() {
		t.Fatal("the new user is verified")
	}
	a.alice.send(a.bob.User, "the former one is still who he was")
	a.alice.step(func(h Host) (Step, error) { return h.AcceptContact(user) })
	a.alice.send(user, "accepted")
}

// Removing the name first is no way around.
func TestContactIsRemovedAndAddedAgain_F7(t *testing.T) {
	a := newAttack(t)
	a.alice.names("bob", a.bob.User)
	for _, name := range []string{"bob", "Bob"} {
		a.alice.step(func(h Host) (Step, error) { return h.RemoveContact("bob") })
		a.alice.names(name, a.mallory.User)
		a.alice.cannotSend(a.mallory.User, ErrContactChanged)
	}
	if changes := a.alice.changes(); len(changes) != 2 || changes[1].Former != a.bob.User {
		t.Fatalf("alarms %+v, want two that name Bob", changes)
	}
	a.alice.step(func(h Host) (Step, error) { return h.RemoveContact("bob") })
	a.alice.cannotSend(a.mallory.User, ErrContactChanged) // by user id as well
	a.alice.names("bob", a.bob.User)
	if changes := a.alice.changes(); len(changes) != 2 {
		t.Fatalf("%d alarms after the name has come back to its own, want 2", len(changes))
	}
	a.alice.send(a.bob.User, "hello")
}

func TestContactIsReplacedBack_F7(t *testing.T) {
	a := newAttack(t)
	a.alice.names("bob", a.bob.User)
	for _, user := range []identity.UserID{a.mallory.User, a.bob.User} {
		a.alice.step(func(h Host) (Step, error) { return h.ReplaceContact(Contact{Name: "bob", User: user}) })
	}
	if changes := a.alice.changes(); len(changes) != 1 {
		t.Fatalf("%d alarms, want one: nobody had accepted the change", len(changes))
	}
	a.alice.send(a.bob.User, "hello")
	a.alice.cannotSend(a.mallory.User, ErrContactChanged)
	if _, err := a.alice.host().ReplaceContact(Contact{Name: "eve", User: a.mallory.User}); !errors.Is(err, ErrContactUnknown) {
		t.Fatalf("%v, want ErrContactUnknown", err)
	}
	a.alice.names("eve", a.mallory.User)
	if _, err := a.alice.host().ReplaceContact(Contact{Name: "bob", User: a.mallory.User}); !errors.Is(err, ErrContactTaken) {
		t.Fatalf("%v, want ErrContactTaken: the user has another name", err)
	}
}

func TestVerifyingAcceptsTheChange_F7(t *testing.T) {
	a := newAttack(t)
	a.alice.names("bob", a.bob.User)
	reinstalled := a.join()
	a.alice.step(func(h Host) (Step, error) {
		return h.ReplaceContact(Contact{Name: "bob", User: reinstalled.User})
	})
	a.alice.cannotSend(reinstalled.User, ErrContactChanged)
	a.alice.verifies(reinstalled)
	a.alice.send(reinstalled.User, "welcome back")
}

func TestAlarmStopsSendingToVerified_F8(t *testing.T) {
	a := grown(t)
	lie := UserAnswer{User: a.alice.User, Since: 2, Found: true, Version: 1, Statements: a.lists[a.alice.User][:1]}
	a.bob.fetch(lie)
	a.bob.send(a.alice.User, "nobody has verified her")
	shown := a.alice.knows(a.bob).String()
	a.bob.step(func(h Host) (Step, error) { return h.Verify(a.alice.User, shown) })
	a.bob.cannotSend(a.alice.User, ErrContactAlarm)

	a.bob.step(func(h Host) (Step, error) { return h.AcceptContact(a.alice.User) })
	a.bob.fetch(lie) // the same one again
	a.bob.send(a.alice.User, "accepted")

	a.now = a.now.Add(time.Minute)
	a.alice.publish(a.alice.entry)
	forged := append([]byte(nil), a.lists[a.alice.User][2]...)
	forged[len(forged)-1] ^= 1
	a.bob.fetch(UserAnswer{User: a.alice.User, Found: true, Version: 3, Statements: [][]byte{forged}})
	a.bob.cannotSend(a.alice.User, ErrContactAlarm)
	a.bob.step(func(h Host) (Step, error) { return h.Unverify(a.alice.User) })
	a.bob.compose(a.alice.User, "no longer verified")
}

// What an earlier release has written is read, and nothing in it waits to be accepted.
func TestContactsOfEarlierRelease(t *testing.T) {
	a := newAttack(t)
	raw := must(os.ReadFile(filepath.Join("testdata", "records", "contacts_names_only.json")))
	a.alice.records[Key{Collection: collectionContacts}] = raw
	contacts := must(a.alice.host().Contacts())
	if len(contacts) != 2 || contacts[0].Name != "Bob" || contacts[1].Name != "Zoë 🦊" {
		t.Fatalf("contacts %+v", contacts)
	}
	if err := a.alice.host().MaySend(contacts[0].User); err != nil {
		t.Fatal(err)
	}
	a.alice.step(func(h Host) (Step, error) { return h.ReplaceContact(Contact{Name: "bob", User: a.bob.User}) })
	if changes := a.alice.changes(); len(changes) != 1 || changes[0].Former != contacts[0].User {
		t.Fatalf("alarms %+v, want one", changes)
	}
}

// Names that were removed have a bound, too.
func TestRemovedNamesAreBounded(t *testing.T) {
	record := contactsRecord{Former: make([]Contact, maxFormer)}
	record.remember(Contact{Name: "bob"})
	if len(record.Former) != maxFormer || record.Former[maxFormer-1].Name != "bob" {
		t.Fatalf("%d are remembered, the last is %q", len(record.Former), record.Former[maxFormer-1].Name)
	}
}

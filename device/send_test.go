package device

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
)

func TestComposeRefuses(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	for name, test := range map[string]struct {
		to   identity.UserID
		text string
		want error
	}{
		"empty":    {bob.User, "", ErrTextEmpty},
		"too long": {bob.User, strings.Repeat("a", 60_001), ErrTextTooLong},
		"not UTF8": {bob.User, "a\xff", ErrTextNotUTF8},
		"to self":  {alice.User, "note", ErrToSelf},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := alice.host().Compose(test.to, test.text); !errors.Is(err, test.want) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
		})
	}
	if m := alice.send(bob.User, strings.Repeat("ü", 30_000)); m.State != Sent {
		t.Fatalf("the longest text is %s", m.State)
	}
}

// R5 for boxes: a retry sends the very bytes that may have arrived.
func TestRetrySendsTheSameBytes(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	alice.fetch(w.answer(&FetchUser{User: bob.User}))
	alice.compose(bob.User, "hello")
	first := alice.sealNext(bob.User)
	w.now = w.now.Add(40 * 24 * time.Hour)
	if second := alice.sealNext(bob.User); !reflect.DeepEqual(first, second) {
		t.Fatal("the retry differs")
	}
}

func TestOldIDThatNoServerSawIsReplaced(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	alice.compose(bob.User, "hello")
	w.now = w.now.Add(8 * 24 * time.Hour)
	alice.sendNext(bob.User)
	alice.sendNext(bob.User)
	m := must(alice.host().Message(bob.User, 1))
	if m.State != Sent || w.now.Sub(m.ID.Time()) > time.Minute {
		t.Fatalf("message %+v, want it sent under a new id", m)
	}
}

func TestExpiredID(t *testing.T) {
	for name, test := range map[string]struct {
		tries int
		set   time.Duration
		want  State
	}{
		"first try: a new id":                         {1, 0, Queued},
		"an earlier try may have got through":         {2, 0, Failed},
		"none has that was from the future: a new id": {2, -48 * time.Hour, Queued},
		"one may have whose clock was hardly ahead":   {2, -10 * time.Second, Failed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			alice, bob := w.join(), w.join()
			alice.fetch(w.answer(&FetchUser{User: bob.User}))
			alice.compose(bob.User, "hello")
			var request *SendMessage
			for range test.tries {
				request = alice.sealNext(bob.User)
			}
			w.now = w.now.Add(test.set)
			alice.step(func(h Host) (Step, error) { return h.Declined(request, RefusedExpired) })
			m := must(alice.host().Message(bob.User, 1))
			if m.State != test.want || test.want == Failed && m.Failure != InDoubt {
				t.Fatalf("message %+v, want %s", m, test.want)
			}
			if test.want == Queued {
				again := alice.sealNext(bob.User)
				if again.MessageID == request.MessageID {
					t.Fatal("the expired id is used again")
				}
			}
		})
	}
}

// A refusal of an older sealing, which comes late, does not undo the newer one.
func TestLateRefusalChangesNothing(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	alice.fetch(w.answer(&FetchUser{User: bob.User}))
	alice.compose(bob.User, "hello")
	first := alice.sealNext(bob.User)
	alice.step(func(h Host) (Step, error) { return h.Declined(first, RefusedListChanged) })
	second := alice.sealNext(bob.User)
	for _, refused := range []Refused{RefusedListChanged, RefusedForGood, RefusedExpired, RefusedRecipient} {
		if step := must(alice.host().Declined(first, refused)); len(step.Writes) > 0 {
			t.Fatalf("refusal %d of the first sealing writes %+v", refused, step.Writes)
		}
	}
	alice.step(func(h Host) (Step, error) { return h.Accepted(second, Receipt{}) })
	if step := must(alice.host().Accepted(second, Receipt{})); len(step.Writes) > 0 {
		t.Fatal("the same answer twice writes twice")
	}
}

// C1.2: a message that was refused uses no counter up, so that its successor shows no gap.
func TestRefusedMessageLeavesNoGap_C1_2(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	alice.send(bob.User, "one")
	alice.compose(bob.User, "two")
	request := alice.sealNext(bob.User)
	alice.step(func(h Host) (Step, error) { return h.Declined(request, RefusedForGood) })
	alice.send(bob.User, "three")
	for _, envelope := range bob.mail() {
		if m := bob.receive(envelope).Notices[0].Message; m.Missing > 0 {
			t.Fatalf("%q shows %d missing", m.Text, m.Missing)
		}
	}
}

func TestMailboxFull(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	tablet := bob.addDevice(identity.ProtocolBox)
	for name, test := range map[string]struct {
		full  []identity.DeviceID
		state State
		marks []Mark
	}{
		"one of two": {[]identity.DeviceID{tablet.Device}, Sent, []Mark{PartlyDelivered}},
		"all":        {[]identity.DeviceID{tablet.Device, bob.Device}, Failed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			alice.fetch(w.answer(&FetchUser{User: bob.User}))
			m := alice.compose(bob.User, "hello")
			request := alice.sealNext(bob.User)
			alice.step(func(h Host) (Step, error) { return h.Accepted(request, Receipt{Full: test.full}) })
			m = must(alice.host().Message(bob.User, m.Number))
			if m.State != test.state || !slices.Equal(m.Marks, test.marks) || m.State == Failed && m.Failure != MailboxFull {
				t.Fatalf("message %+v", m)
			}
		})
	}
}

// What one sends shows on one's other devices, as sent, in the conversation with whom it went to.
func TestCopyForOwnDevices(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	tablet := alice.addDevice(identity.ProtocolBox)
	alice.fetch(w.answer(&FetchUser{User: alice.User, Since: 1}))
	alice.send(bob.User, "hello")
	tablet.receiveAll(tablet.mail())
	history := must(tablet.host().History(bob.User, 0, 10))
	if len(history) != 1 || history[0].Text != "hello" || history[0].State != Sent || history[0].Sender != alice.User || !history[0].Outgoing() {
		t.Fatalf("history %+v, want the copy", history)
	}
}

// Delivery contract 9, seen from the device: the list moves on while a message is on its way.
func TestListChangesWhileSending(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	alice.send(bob.User, "one")
	first := must(alice.host().Message(bob.User, 1))
	tablet := bob.addDevice(identity.ProtocolBox)
	second := alice.send(bob.User, "two")
	if second.State != Sent || second.Counter != first.Counter+1 {
		t.Fatalf("message %+v", second)
	}
	tablet.receiveAll(tablet.mail())
	if texts := tablet.texts(alice.User); !slices.Equal(texts, []string{"two"}) {
		t.Fatalf("the new device has %q", texts)
	}
	if m := must(tablet.host().History(alice.User, 0, 1)); m[0].Missing > 0 {
		t.Fatal("a new device misses what came before it")
	}
}

func TestGapAndLateMessage_C1_2(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	for _, text := range []string{"one", "two", "three", "four"} {
		alice.send(bob.User, text)
	}
	mail := bob.mail()
	if m := bob.receive(mail[3]).Notices[0].Message; m.Missing != 3 {
		t.Fatalf("missing %d, want 3", m.Missing)
	}
	if m := bob.receive(mail[1]).Notices[0].Message; !slices.Equal(m.Marks, []Mark{Late}) || m.Missing != 0 {
		t.Fatalf("message %+v, want it marked late", m)
	}
	bob.receive(mail[0])
	bob.receive(mail[2])
	if texts := bob.texts(alice.User); !slices.Equal(texts, []string{"one", "two", "three", "four"}) {
		t.Fatalf("history %q is not in sending order", texts)
	}
}

func TestRestoredSenderIsMarked(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	backup := alice.snapshot()
	alice.send(bob.User, "one")
	alice.records = backup
	w.now = w.now.Add(time.Hour)
	alice.send(bob.User, "one again")
	bob.receiveAll(bob.mail())
	history := must(bob.host().History(alice.User, 0, 10))
	if len(history) != 2 || !slices.Equal(history[1].Marks, []Mark{RepeatedCounter}) {
		t.Fatalf("history %+v, want the second marked", history)
	}
}

func TestCursor(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.join(), w.join()
	alice.send(bob.User, "one")
	bob.receiveAll(bob.mail())
	if cursor := must(bob.host().Cursor()); cursor != "c1" {
		t.Fatalf("cursor %q, want c1", cursor)
	}
	other := bob.host()
	other.Server = "https://other.example"
	if cursor := must(other.Cursor()); cursor != "" {
		t.Fatalf("another server is asked behind %q", cursor)
	}
	bob.step(Host.ForgetCursor)
	if cursor := must(bob.host().Cursor()); cursor != "" {
		t.Fatalf("cursor %q, want none", cursor)
	}
}

func TestContacts(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob, carol := w.join(), w.join(), w.join()
	add := func(name string, user identity.UserID) error {
		step, err := alice.host().AddContact(Contact{Name: name, User: user})
		alice.commit(step)
		return err
	}
	for _, name := range []string{"", " bob", "-bob", strings.Repeat("b", 65), "bo\x1bb", "b\u202eob", bob.User.String(), "a\nb"} {
		if err := add(name, bob.User); !errors.Is(err, ErrContactName) {
			t.Errorf("%q: error %v, want ErrContactName", name, err)
		}
	}
	for _, test := range []struct {
		name string
		user identity.UserID
		want error
	}{
		{"Bob", bob.User, nil},
		{"bob", bob.User, nil},
		{"BOB", carol.User, ErrContactTaken},
		{"robert", bob.User, ErrContactTaken},
		{"Zoë 🦊", carol.User, nil},
	} {
		if err := add(test.name, test.user); !errors.Is(err, test.want) {
			t.Errorf("%q: error %v, want %v", test.name, err, test.want)
		}
	}
	if user, err := alice.host().Lookup("boB"); err != nil || user != bob.User {
		t.Errorf("lookup gives %s, %v", user, err)
	}
	alice.step(func(h Host) (Step, error) { return h.RemoveContact("bob") })
	if _, err := alice.host().Lookup("bob"); !errors.Is(err, ErrContactUnknown) {
		t.Errorf("error %v, want ErrContactUnknown", err)
	}
	if left := must(alice.host().Contacts()); len(left) != 1 || left[0].User != carol.User {
		t.Errorf("contacts %+v", left)
	}
}

func TestCreateTwice(t *testing.T) {
	alice := newWorld(t, 1).join()
	before := alice.snapshot()
	if _, _, err := alice.host().Create(identity.ProtocolBox); !errors.Is(err, ErrHasKeys) {
		t.Fatalf("error %v, want ErrHasKeys", err)
	}
	if !reflect.DeepEqual(before, alice.snapshot()) {
		t.Fatal("the keys changed")
	}
}

func TestRegistrationIsPerServer(t *testing.T) {
	alice := newWorld(t, 1).join()
	if step := must(alice.host().Register()); len(step.Requests) != 1 {
		t.Fatal("a new device does not ask to be registered")
	}
	alice.step(func(h Host) (Step, error) { return h.Registered(true) })
	if step := must(alice.host().Register()); len(step.Requests) > 0 {
		t.Fatal("it asks again")
	}
	other := alice.host()
	other.Server = "https://other.example"
	if step := must(other.Register()); len(step.Requests) != 1 {
		t.Fatal("it takes one server's registration for another's")
	}
}

package device

import (
	"slices"
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// asked is the stage of R6: Alice and Bob have written to each other, and Alice's last message is known to both.
type asked struct {
	*talk
	last MessageID
}

func newAsked(t *testing.T) *asked {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "hello")
	c.bob.takeIn()
	c.bob.sent(c.alice.User, "hello yourself")
	c.alice.takeIn()
	m := c.alice.send(c.bob.User, "secret")
	c.bob.takeIn()
	c.alice.flush(c.bob.User)
	c.bob.takeIn()
	c.bob.flush(c.alice.User)
	c.alice.takeIn()
	return &asked{c, m.ID}
}

// answers lets a device ask Alice for a message, whether or not it has it, and counts what she sends to anybody.
func (a *asked) answers(by *party, id MessageID) int {
	a.t.Helper()
	w := by.host().begin()
	by.commit(must(w.done(w.enqueueControl(a.alice.User, control{Messages: []MessageID{id}, Device: a.alice.Device}))))
	by.flush(a.alice.User)
	a.alice.takeIn()
	a.alice.flush(by.User)
	return len(a.boxes[by.Device])
}

func TestResendIsAnsweredOnce_R6(t *testing.T) {
	a := newAsked(t)
	if n := a.answers(a.bob, a.last); n != 1 {
		t.Fatalf("%d envelopes, want the message again", n)
	}
	step := a.bob.receive(a.bob.mail()[0])
	if len(step.Notices) > 0 {
		t.Fatalf("notices %+v: it had come before", step.Notices)
	}
	if n := a.answers(a.bob, a.last); n != 0 {
		t.Fatalf("%d envelopes for the second request", n)
	}
}

func TestAttackAsksForWhatOthersGot_R6(t *testing.T) {
	a := newAsked(t)
	tablet := a.bob.addDevice(identity.ProtocolSession)
	a.alice.fetch(a.answer(&FetchUser{User: a.bob.User, Since: 1}))
	if n := a.answers(tablet, a.last); n != 0 {
		t.Fatal("a device gets what was not addressed to it")
	}
	mallory := a.joinWith(identity.ProtocolSession)
	mallory.sent(a.alice.User, "hello")
	a.alice.takeIn()
	if n := a.answers(mallory, a.last); n != 0 {
		t.Fatal("a stranger gets a message to somebody else")
	}
	if n := a.answers(a.bob, must(newMessageID(a.now, a.random))); n != 0 {
		t.Fatal("a message that nobody sent is answered")
	}
}

func TestResendHasAnEnd_R6(t *testing.T) {
	a := newAsked(t)
	a.now = a.now.Add(resendWithin + time.Hour)
	if n := a.answers(a.bob, a.last); n != 0 {
		t.Fatal("what was sent more than a week ago is sent again")
	}
}

// A server that makes up envelopes makes a device give a session up once an hour and ask twenty times, and never a stranger.
func TestAttackMakesDevicesAsk_R6(t *testing.T) {
	a := newAsked(t)
	forged := func(from *party) Envelope {
		return Envelope{
			ID: "f", Cursor: "f", MessageID: must(newMessageID(a.now, a.random)).String(), SenderUser: from.User.String(),
			SenderDevice: from.Device.String(), Kind: KindSession, Ciphertext: append([]byte{1}, make([]byte, 400)...),
		}
	}
	stranger := a.joinWith(identity.ProtocolSession)
	for i := range 30 {
		for _, from := range []*party{a.alice, stranger} {
			if reason := refusal(a.bob.receive(forged(from))); reason != Forged && reason != NoSession {
				t.Fatalf("refused for %q", reason)
			}
		}
		if i == 0 {
			a.bob.flush(a.alice.User) // in a new session
		}
	}
	if has := must(a.bob.host().begin().hasSession(a.alice.User, a.alice.Device)); !has {
		t.Fatal("the new session was given up as well")
	}
	waiting := must(a.bob.host().Outboxes())
	if !slices.Equal(waiting, []identity.UserID{a.alice.User}) {
		t.Fatalf("asks %v, want Alice alone", waiting)
	}
	if n := len(must(a.bob.records.List(collectionOutbox, a.alice.User.String(), 0, 100))); n != maxAsked-1 {
		t.Fatalf("asks %d times more, want %d", n, maxAsked-1)
	}
}

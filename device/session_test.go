package device

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// talk is the stage of session tests: two users whose devices take sessions.
type talk struct {
	*world
	alice, bob *party
}

func newTalk(t *testing.T) *talk {
	w := newWorld(t, 7)
	return &talk{w, w.joinWith(identity.ProtocolSession), w.joinWith(identity.ProtocolSession)}
}

// sent sends a text and asserts that the server has it.
func (p *party) sent(to identity.UserID, text string) {
	p.t.Helper()
	if m := p.send(to, text); m.State != Sent {
		p.t.Fatalf("message %+v, want it sent", m)
	}
}

// takeIn receives all that waits, and asserts that nothing of it is refused.
func (p *party) takeIn() {
	p.t.Helper()
	for _, envelope := range p.mail() {
		if reason := refusal(p.receive(envelope)); reason != "" {
			p.t.Fatalf("refused for %q", reason)
		}
	}
}

// flush sends what waits for a user.
func (p *party) flush(to identity.UserID) {
	p.t.Helper()
	for range 20 {
		if !p.sendNext(to) {
			return
		}
	}
	p.t.Fatal("an outbox is never empty")
}

func (p *party) wants(with identity.UserID, texts ...string) {
	p.t.Helper()
	if got := p.texts(with); !slices.Equal(got, texts) {
		p.t.Fatalf("history %q, want %q", got, texts)
	}
}

func TestSessionIsHowMessagesTravel(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "one")
	c.alice.sent(c.bob.User, "two")
	for _, envelope := range c.boxes[c.bob.Device] {
		if envelope.Kind != KindSessionStart || len(envelope.Nonce) > 0 {
			t.Fatalf("envelope of kind %s, want SESSION_START", envelope.Kind)
		}
	}
	c.bob.takeIn()
	c.bob.sent(c.alice.User, "three")
	if kind := c.boxes[c.alice.Device][0].Kind; kind != KindSession {
		t.Fatalf("answered with a %s", kind)
	}
	c.alice.takeIn()
	c.alice.sent(c.bob.User, "four")
	c.bob.takeIn()
	c.alice.wants(c.bob.User, "one", "two", "three", "four")
	c.bob.wants(c.alice.User, "one", "two", "three", "four")
}

// Both start before either has heard from the other; they converge on one session (R4).
func TestSessionsThatCross_R4(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "from alice")
	c.bob.sent(c.alice.User, "from bob")
	c.alice.takeIn()
	c.bob.takeIn()
	for i := range 3 {
		c.alice.sent(c.bob.User, "more")
		c.bob.sent(c.alice.User, "more")
		c.alice.takeIn()
		c.bob.takeIn()
		if a, b := c.alice.sendsOn(c.bob), c.bob.sendsOn(c.alice); a != b {
			t.Fatalf("round %d: they send on different sessions", i)
		}
	}
}

// sendsOn names the session that a party sends on.
func (p *party) sendsOn(to *party) [32]byte {
	p.t.Helper()
	w := p.host().begin()
	record := must(w.sessions(to.User, to.Device))
	at := record.current(must(w.epoch()))
	if at < 0 {
		p.t.Fatal("there is no session to send on")
	}
	return record.Sessions[at].Ephemeral
}

func TestSessionIsWithEveryDevice(t *testing.T) {
	c := newTalk(t)
	tablet := c.bob.addDevice(identity.ProtocolSession)
	laptop := c.alice.addDevice(identity.ProtocolSession)
	c.alice.fetch(c.answer(&FetchUser{User: c.alice.User}))
	c.alice.sent(c.bob.User, "to both")
	for _, p := range []*party{c.bob, tablet} {
		p.takeIn()
		p.wants(c.alice.User, "to both")
	}
	laptop.takeIn()
	laptop.wants(c.bob.User, "to both")
	laptop.sent(c.bob.User, "from the laptop")
	c.alice.takeIn()
	c.bob.takeIn()
	if m := must(c.bob.host().Message(c.alice.User, 2)); !slices.Equal(m.Marks, []Mark{NewDevice}) {
		t.Fatalf("marks %q, want the new device to show", m.Marks)
	}
	if m := must(c.alice.host().Message(c.bob.User, 2)); len(m.Marks) > 0 {
		t.Fatalf("marks %q on one's own message", m.Marks)
	}
	c.alice.wants(c.bob.User, "to both", "from the laptop")
	c.bob.wants(c.alice.User, "to both", "from the laptop")
}

func TestDowngradeToBoxIsRefused_B3(t *testing.T) {
	c := newTalk(t)
	simple := c.join()
	if m := simple.send(c.bob.User, "in a box"); m.Failure != RecipientNeedsSession {
		t.Fatalf("message %+v, want it failed for %q", m, RecipientNeedsSession)
	}
	if m := c.bob.send(simple.User, "in a session"); m.Failure != RecipientNeedsBox {
		t.Fatalf("message %+v, want it failed for %q", m, RecipientNeedsBox)
	}
	c.alice.sent(c.bob.User, "hello")
	envelope := c.bob.mail()[0]
	envelope.Kind, envelope.Nonce = KindBox, make([]byte, 24)
	envelope.Ciphertext = envelope.Ciphertext[:300]
	if reason := refusal(c.bob.receive(envelope)); reason != Downgrade {
		t.Fatalf("refused for %q, want %q", reason, Downgrade)
	}
}

func TestAttackReplaysSessionMessages_C1(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "hello")
	start := c.bob.mail()[0]
	c.bob.receive(start)
	before := c.bob.snapshot()
	c.bob.receive(start)
	if len(before) != len(c.bob.records) {
		t.Fatal("a repeated envelope has changed records")
	}
	start.MessageID = must(newMessageID(c.now, c.random)).String()
	if reason := refusal(c.bob.receive(start)); reason != KeyUsed {
		t.Fatalf("refused for %q, want %q", reason, KeyUsed)
	}
	c.bob.wants(c.alice.User, "hello")
}

func TestAttackChangesSessionEnvelope(t *testing.T) {
	c := newTalk(t)
	mallory := c.joinWith(identity.ProtocolSession)
	c.alice.sent(c.bob.User, "hello")
	start := c.bob.mail()[0]
	for at := range start.Ciphertext {
		if at%97 > 0 && at > 60 {
			continue
		}
		changed := start
		changed.Ciphertext = bytes.Clone(start.Ciphertext)
		changed.Ciphertext[at] ^= 1
		if reason := refusal(c.bob.receive(changed)); reason == "" {
			t.Fatalf("byte %d changed: accepted", at)
		}
	}
	for name, change := range map[string]func(*Envelope){
		"another sender":     func(e *Envelope) { e.SenderUser, e.SenderDevice = mallory.User.String(), mallory.Device.String() },
		"another message id": func(e *Envelope) { e.MessageID = must(newMessageID(c.now, c.random)).String() },
		"kind":               func(e *Envelope) { e.Kind = KindSession },
		"oneself":            func(e *Envelope) { e.SenderUser, e.SenderDevice = c.bob.User.String(), c.bob.Device.String() },
	} {
		changed := start
		change(&changed)
		if reason := refusal(c.bob.receive(changed)); reason == "" {
			t.Fatalf("%s: accepted", name)
		}
	}
	if reason := refusal(mallory.receive(start)); reason == "" {
		t.Fatal("redirected to another device: accepted")
	}
	c.bob.receive(start)
	c.bob.wants(c.alice.User, "hello")
}

// R3: an older copy of the records is put back. The server counts further, and new sessions are started.
func TestRollbackStartsAnew_R3(t *testing.T) {
	c := newTalk(t)
	check := func(accepted uint64) bool {
		var rolledBack bool
		c.alice.step(func(h Host) (step Step, err error) {
			rolledBack, step, err = h.CheckAccepted(accepted)
			return step, err
		})
		return rolledBack
	}
	if check(0) {
		t.Fatal("a new device is said to be rolled back")
	}
	c.alice.sent(c.bob.User, "one")
	c.bob.takeIn()
	old, session := c.alice.snapshot(), c.alice.sendsOn(c.bob)
	c.alice.sent(c.bob.User, "two")
	if check(2) {
		t.Fatal("what was sent is taken for a rollback")
	}
	c.bob.takeIn()
	c.alice.records = old
	if !check(2) {
		t.Fatal("a rollback is not noticed")
	}
	c.alice.sent(c.bob.User, "three")
	if c.alice.sendsOn(c.bob) == session {
		t.Fatal("an old session is used again")
	}
	c.bob.takeIn()
	if got := c.bob.texts(c.alice.User); !slices.Contains(got, "three") {
		t.Fatalf("history %q", got)
	}
}

// C4: what comes from a removed device on a session that exists is marked; it starts no new one.
func TestRemovedDeviceInSession_C4(t *testing.T) {
	c := newTalk(t)
	tablet := c.alice.addDevice(identity.ProtocolSession)
	tablet.sent(c.bob.User, "from the tablet")
	c.bob.takeIn()
	c.alice.mail()
	tablet.compose(c.bob.User, "late")
	late := tablet.sealNext(c.bob.User)
	c.alice.publish(c.alice.entry)
	c.bob.fetch(c.answer(&FetchUser{User: c.alice.User, Since: 2}))
	envelope := c.envelopeFor(c.bob, tablet, late)
	step := c.bob.receive(envelope)
	if len(step.Notices) != 1 || step.Notices[0].Message == nil || !slices.Contains(step.Notices[0].Message.Marks, RemovedDevice) {
		t.Fatalf("notices %+v, want a marked message", step.Notices)
	}
}

func TestRemovedDeviceStartsNoSession_C4(t *testing.T) {
	c := newTalk(t)
	tablet := c.alice.addDevice(identity.ProtocolSession)
	tablet.sent(c.bob.User, "from the tablet")
	c.alice.publish(c.alice.entry)
	if reason := refusal(c.bob.receive(c.bob.mail()[0])); reason != RemovedDeviceStarts {
		t.Fatalf("refused for %q, want %q", reason, RemovedDeviceStarts)
	}
}

// envelopeFor makes what the server would deliver of a request.
func (w *world) envelopeFor(to, from *party, request *SendMessage) Envelope {
	w.t.Helper()
	for _, recipient := range request.Recipients {
		for _, sealed := range recipient.Envelopes {
			if sealed.Device == to.Device {
				return Envelope{
					ID: "x", Cursor: "x", MessageID: request.MessageID.String(), SenderUser: from.User.String(),
					SenderDevice: from.Device.String(), Kind: sealed.Kind, Ciphertext: sealed.Ciphertext, Nonce: sealed.Nonce,
				}
			}
		}
	}
	w.t.Fatal("nothing is for this device")
	return Envelope{}
}

func TestReceipts(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "hello")
	c.bob.takeIn()
	c.bob.flush(c.alice.User)
	if mail := c.alice.mail(); len(mail) > 0 {
		t.Fatal("a stranger was answered (R6)")
	}
	c.bob.sent(c.alice.User, "hello yourself")
	c.alice.takeIn()
	c.alice.flush(c.bob.User)
	c.bob.takeIn()
	if m := must(c.bob.host().Message(c.alice.User, 2)); m.DeliveredAt.IsZero() || !m.ReadAt.IsZero() {
		t.Fatalf("message %+v, want it delivered and not read", m)
	}
	c.alice.step(func(h Host) (Step, error) { return h.MarkRead(c.bob.User, 2) })
	c.alice.flush(c.bob.User)
	if mail := c.bob.mail(); len(mail) > 0 {
		t.Fatal("a read receipt was sent without being allowed")
	}
	c.alice.step(func(h Host) (Step, error) { return h.SetReceipts(true, true) })
	c.bob.sent(c.alice.User, "read this")
	c.alice.takeIn()
	c.alice.step(func(h Host) (Step, error) { return h.MarkRead(c.bob.User, 1_000_000) })
	c.alice.flush(c.bob.User)
	c.bob.takeIn()
	if m := must(c.bob.host().Message(c.alice.User, 3)); m.DeliveredAt.IsZero() || m.ReadAt.IsZero() {
		t.Fatalf("message %+v, want it delivered and read", m)
	}
	c.bob.wants(c.alice.User, "hello", "hello yourself", "read this")
}

// A program has queued as much for a user as there is room for. What comes from them is taken in all the same: a receipt that has no room,
// or a request to send again, must not stop the mailbox, which is everybody's.
func TestFullOutboxDoesNotStopTheMailbox(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "hello")
	c.bob.takeIn()
	c.bob.sent(c.alice.User, "hello yourself")
	c.alice.takeIn()
	c.alice.sent(c.bob.User, "opens")
	c.alice.sent(c.bob.User, "does not open")
	c.bob.compose(c.alice.User, "waits")
	c.bob.step(func(h Host) (Step, error) {
		w := h.begin()
		var conv conversation
		_ = must(w.get(conversationKey(c.alice.User), &conv))
		conv.Outbox += maxOutbox
		return w.done(w.put(conversationKey(c.alice.User), conv))
	})
	if _, _, err := c.bob.host().Compose(c.alice.User, "one too many"); !errors.Is(err, ErrOutboxFull) {
		t.Fatalf("the outbox is not full: %v", err)
	}
	mail := c.bob.mail()
	c.bob.receive(mail[0])
	mail[1].Ciphertext[200] ^= 1
	if reason := refusal(c.bob.receive(mail[1])); reason != Forged {
		t.Fatalf("refused as %q, want %q", reason, Forged)
	}
	c.bob.step(func(h Host) (Step, error) { return h.SetReceipts(true, true) })
	c.bob.step(func(h Host) (Step, error) { return h.MarkRead(c.alice.User, 1_000_000) })
}

// R6: a contact's device that can't open a message asks for it, sealed, and gets it again, once, in a new session.
func TestResend_R6(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "hello")
	c.bob.takeIn()
	c.bob.sent(c.alice.User, "hello yourself")
	c.alice.takeIn()
	c.alice.sent(c.bob.User, "lost")
	delete(c.bob.records, sessionsKey(c.alice.User, c.alice.Device))
	lost := c.bob.mail()
	for _, envelope := range lost {
		if reason := refusal(c.bob.receive(envelope)); reason != NoSession {
			t.Fatalf("refused for %q, want %q", reason, NoSession)
		}
	}
	c.bob.flush(c.alice.User)
	c.alice.takeIn()
	c.alice.flush(c.bob.User)
	c.bob.takeIn()
	c.bob.wants(c.alice.User, "hello", "hello yourself", "lost")
	m := must(c.bob.host().Message(c.alice.User, 3))
	if !slices.Contains(m.Marks, SentAgain) {
		t.Fatalf("message %+v, want it marked as sent again", m)
	}
}

// The recipient's list moves on while a message is on its way: it is sealed anew, for all devices, under the same id.
func TestListChangesUnderway_Session(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "before")
	c.alice.compose(c.bob.User, "meanwhile")
	tablet := c.bob.addDevice(identity.ProtocolSession)
	c.alice.flush(c.bob.User)
	c.bob.takeIn()
	tablet.takeIn()
	c.bob.wants(c.alice.User, "before", "meanwhile")
	tablet.wants(c.alice.User, "meanwhile")
}

// C3.1: of a text's length an envelope shows a Padmé bucket alone, whatever else is in the session.
func TestLengthsShowBucketsAlone_C3_1(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "one")
	c.bob.takeIn()
	c.bob.sent(c.alice.User, "two")
	c.alice.takeIn()
	c.bob.mail()
	lengths := map[int]bool{}
	for _, n := range []int{1, 2, 17, 34} {
		c.alice.sent(c.bob.User, strings.Repeat("a", n))
		for _, envelope := range c.bob.mail() {
			lengths[len(envelope.Ciphertext)] = true
		}
	}
	if want := cryptobox.MinContentSize + cryptobox.SessionOverhead; len(lengths) != 1 || !lengths[want] {
		t.Fatalf("lengths %v, want %d alone, of receipts as well", lengths, want)
	}
}

// The first message is lost: the next one starts the session as well, and the loss shows.
func TestLostFirstMessage(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "lost")
	c.bob.mail()
	c.alice.sent(c.bob.User, "second")
	c.bob.takeIn()
	c.bob.wants(c.alice.User, "second")
	if m := must(c.bob.host().Message(c.alice.User, 1)); m.Missing != 1 {
		t.Fatalf("message %+v, want one missing before it", m)
	}
	c.bob.sent(c.alice.User, "answer")
	c.alice.takeIn()
	c.alice.wants(c.bob.User, "lost", "second", "answer")
}

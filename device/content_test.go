package device

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// content is what one party seals for another.
func (a *attack) content(from, to *party) *cryptobox.Content {
	mine, theirs := from.head(), to.head()
	return &cryptobox.Content{
		MessageID: must(newMessageID(a.now, a.random)), SenderUser: from.User, SenderDevice: from.Device,
		RecipientUser: to.User, RecipientDevice: to.Device, Conversation: cryptobox.ConversationID(from.User, to.User), Counter: 1,
		SenderListVersion: mine.Version, SenderListHash: mine.Hash(), RecipientListVersion: theirs.Version, RecipientListHash: theirs.Hash(),
		SentAt: a.now, Body: cryptobox.Text{Text: "made by hand"},
	}
}

func (a *attack) seal(content *cryptobox.Content, from, to *party) Envelope {
	return a.sealRaw(must(content.Marshal()), content.MessageID, from, to)
}

func (a *attack) sealRaw(raw []byte, id [16]byte, from, to *party) Envelope {
	box := must(cryptobox.Seal(a.random, raw, to.entry.BoxKey, from.box))
	return Envelope{
		ID: "e", Cursor: "c", MessageID: MessageID(id).String(), SenderUser: from.User.String(), SenderDevice: from.Device.String(),
		Kind: KindBox, Ciphertext: box.Ciphertext, Nonce: box.Nonce[:],
	}
}

func TestContentOfAnotherList_C1_1(t *testing.T) {
	t.Run("sender's", func(t *testing.T) {
		a := newAttack(t)
		content := a.content(a.alice, a.bob)
		content.SenderListHash[0] ^= 1
		a.refused(a.bob, a.seal(content, a.alice, a.bob), OtherContext)
		if alarm := must(a.bob.host().LastAlarm(a.alice.User)); alarm == nil || alarm.Reason != OtherList {
			t.Fatalf("alarm %+v, want %s", alarm, OtherList)
		}
	})
	t.Run("recipient's", func(t *testing.T) {
		a := newAttack(t)
		content := a.content(a.alice, a.bob)
		content.RecipientListHash[0] ^= 1
		a.refused(a.bob, a.seal(content, a.alice, a.bob), OtherContext)
		if alarm := must(a.bob.host().LastAlarm(a.bob.User)); alarm == nil || alarm.Reason != OtherList {
			t.Fatalf("alarm %+v, want %s", alarm, OtherList)
		}
	})
}

// C1.3: a copy from somebody else does not count.
func TestCopyFromAnotherUser_C1_3(t *testing.T) {
	a := newAttack(t)
	content := a.content(a.bob, a.bob)
	content.Body = cryptobox.Copy{Recipient: a.alice.User, Text: "you wrote this"}
	content.Conversation = cryptobox.ConversationID(a.bob.User, a.alice.User)
	raw := must(content.Marshal())
	copy(raw[17:37], a.mallory.User[:])
	copy(raw[37:57], a.mallory.Device[:])
	a.refused(a.bob, a.sealRaw(raw, content.MessageID, a.mallory, a.bob), ContentMalformed)
}

// B3: to a device that takes sessions no box is sent, and to nobody beside it.
func TestNoBoxWhereSessionsAreTaken_B3(t *testing.T) {
	for name, protocols := range map[string]identity.Protocols{
		"both":         identity.ProtocolBox | identity.ProtocolSession,
		"session only": identity.ProtocolSession,
		"neither":      1 << 7,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 2)
			alice, bob := w.join(), w.join()
			other := bob.addDevice(protocols)
			m := alice.send(bob.User, "hello")
			if m.State != Failed || m.Failure != RecipientNeedsSession || m.Counter != 0 {
				t.Fatalf("message %+v, want it failed for %s", m, RecipientNeedsSession)
			}
			if len(bob.mail())+len(other.mail()) > 0 {
				t.Fatal("something was sent")
			}
			if notices := must(alice.host().Waiting(0, 10)); len(notices) != 1 || notices[0].Message.Failure != RecipientNeedsSession {
				t.Fatalf("notices %+v, want the failure", notices)
			}
		})
	}
}

func TestNoBoxForOwnDeviceThatTakesSessions_B3(t *testing.T) {
	w := newWorld(t, 2)
	alice, bob := w.join(), w.join()
	alice.addDevice(identity.ProtocolSession)
	alice.fetch(w.answer(&FetchUser{User: alice.User, Since: 1}))
	if m := alice.send(bob.User, "hello"); m.Failure != OwnDeviceNeedsSession {
		t.Fatalf("message %+v, want it failed for %s", m, OwnDeviceNeedsSession)
	}
}

func TestBoxFromDeviceWithoutBoxKey_B1(t *testing.T) {
	a := newAttack(t)
	other := a.alice.addDevice(identity.ProtocolSession)
	a.refused(a.bob, a.seal(a.content(other, a.bob), other, a.bob), NoBoxKey)
}

func TestBoxToDeviceThatTakesSessions_B3(t *testing.T) {
	w := newWorld(t, 3)
	alice, bob := w.join(), w.join()
	both := bob.addDevice(identity.ProtocolBox | identity.ProtocolSession)
	a := &attack{world: w, alice: alice, bob: both}
	a.refused(both, a.seal(a.content(alice, both), alice, both), Downgrade)
}

// C4: a removed device is read with a mark for 30 days after that was learnt.
func TestRemovedDevice_C4(t *testing.T) {
	for name, after := range map[string]struct {
		wait time.Duration
		want RefusalReason
	}{"within": {29 * 24 * time.Hour, ""}, "after": {31 * 24 * time.Hour, DeviceRemovedLongAgo}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 4)
			alice, bob := w.join(), w.join()
			tablet := alice.addDevice(identity.ProtocolBox)
			tablet.send(bob.User, "from the tablet")
			envelope := bob.mail()[0]
			bob.fetch(w.answer(&FetchUser{User: alice.User}))
			alice.publish(alice.entry)
			bob.fetch(w.answer(&FetchUser{User: alice.User, Since: 2}))
			w.now = w.now.Add(after.wait)
			step := bob.receive(envelope)
			if got := refusal(step); got != after.want {
				t.Fatalf("refused for %q, want %q", got, after.want)
			}
			if after.want == "" && !slices.Contains(step.Notices[0].Message.Marks, RemovedDevice) {
				t.Fatalf("message %+v is not marked", step.Notices[0].Message)
			}
		})
	}
}

func TestOutdatedListIsMarked_C2_2(t *testing.T) {
	a := newAttack(t)
	a.bob.addDevice(identity.ProtocolBox)
	a.bob.fetch(a.answer(&FetchUser{User: a.bob.User, Since: 1}))
	step := a.bob.receive(a.envelope)
	if len(step.Notices) != 1 || !slices.Contains(step.Notices[0].Message.Marks, OutdatedList) {
		t.Fatalf("notices %+v, want a message marked %s", step.Notices, OutdatedList)
	}
}

func TestUnknownBodyIsKept_C1_4(t *testing.T) {
	a := newAttack(t)
	content := a.content(a.alice, a.bob)
	content.Body = cryptobox.Unknown{Type: 77, Data: []byte("a poll")}
	m := a.bob.receive(a.seal(content, a.alice, a.bob)).Notices[0].Message
	if m == nil || !m.Unsupported || m.Text != "" || !bytes.Contains(m.Raw, []byte("a poll")) {
		t.Fatalf("message %+v, want it kept for a newer client", m)
	}
}

func TestUnknownContentVersionIsKeptOnce_C1_4(t *testing.T) {
	a := newAttack(t)
	raw := must(a.content(a.alice, a.bob).Marshal())
	raw[0] = 2
	first := a.sealRaw(raw, must(newMessageID(a.now, a.random)), a.alice, a.bob)
	if m := a.bob.receive(first).Notices[0].Message; m == nil || !m.Unsupported || !bytes.Equal(m.Raw, raw) {
		t.Fatalf("message %+v, want it kept for a newer client", m)
	}
	again := first
	again.MessageID = must(newMessageID(a.now, a.random)).String()
	if step := a.bob.receive(again); len(step.Notices) > 0 {
		t.Fatalf("a replay under another id is shown again: %+v", step.Notices[0])
	}
}

// A stranger's clock that says the year 200,000 must not stop the mailbox: time.Time writes no such year as JSON.
func TestSentInAFarFuture(t *testing.T) {
	a := newAttack(t)
	content := a.content(a.alice, a.bob)
	content.SentAt = time.UnixMicro(math.MaxInt64).UTC()
	m := a.bob.receive(a.seal(content, a.alice, a.bob)).Notices[0].Message
	if m == nil || m.SentAt.Year() != 9999 {
		t.Fatalf("message %+v, want it with the last instant that can be written", m)
	}
	if texts := a.bob.texts(a.alice.User); len(texts) != 1 {
		t.Fatalf("history %q, want the message", texts)
	}
}

// C4 counts from when this device learnt of it, also if it learns of the device and its removal at once.
func TestDeviceThatCameAndWent_C4(t *testing.T) {
	for _, held := range []uint32{0, 1} {
		w := newWorld(t, 4)
		alice, bob := w.join(), w.join()
		if held > 0 {
			bob.fetch(w.answer(&FetchUser{User: alice.User}))
		}
		tablet := alice.addDevice(identity.ProtocolBox)
		tablet.send(bob.User, "from the tablet")
		alice.publish(alice.entry)
		step := bob.receive(bob.mail()[0])
		if len(step.Notices) != 1 || step.Notices[0].Message == nil || !slices.Contains(step.Notices[0].Message.Marks, RemovedDevice) {
			t.Fatalf("with version %d held: notices %+v, want a message marked %s", held, step.Notices, RemovedDevice)
		}
	}
}

// changeBoxKey publishes a list in which the device of a party has another box key, and gives the one before.
func (p *party) changeBoxKey() (before *cryptobox.BoxKey) {
	p.t.Helper()
	before, p.box = p.box, must(cryptobox.GenerateBoxKey(p.random))
	p.entry = must(identity.SignEntry(identity.EntryFields{
		UserID: p.User, AgreementKey: p.entry.AgreementKey, Protocols: p.entry.Protocols, CreatedAt: p.entry.CreatedAt,
		BoxKey: p.box.PublicKey(),
	}, p.signing))
	p.publish(p.entry)
	return before
}

// S4.4: a box key may change. What was sealed before opens with the key of the list that held then, and what comes after
// with one that has to be fetched first.
func TestBoxKeyChanges_S4_4(t *testing.T) {
	a := newAttack(t)
	a.bob.receive(a.envelope)
	early := a.content(a.alice, a.bob)
	early.Counter = 2
	sealedEarly := a.seal(early, a.alice, a.bob)
	before := a.alice.changeBoxKey()
	late := a.content(a.alice, a.bob)
	late.Counter = 3
	for _, envelope := range []Envelope{a.seal(late, a.alice, a.bob), sealedEarly} {
		if step := a.bob.receive(envelope); len(step.Notices) != 1 || step.Notices[0].Message == nil {
			t.Fatalf("notices %+v, want a message", step.Notices)
		}
	}
	if version := a.bob.chainOf(a.alice.User).Version(); version != 2 {
		t.Fatalf("version %d is held, want 2", version)
	}
	// Who stole the old key can't seal for the list that has replaced it.
	stolen := *a.alice
	stolen.box = before
	if got := refusal(a.bob.receive(a.seal(a.content(a.alice, a.bob), &stolen, a.bob))); got != OtherContext {
		t.Fatalf("refused for %q, want %q", got, OtherContext)
	}
}

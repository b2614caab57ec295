package device

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
)

// attack is the stage of most attacks: Alice has sent Bob a message, and Mallory runs the server and is a user, too.
type attack struct {
	*world
	alice, bob, mallory *party
	envelope            Envelope
}

func newAttack(t *testing.T) *attack {
	w := newWorld(t, 1)
	a := &attack{world: w, alice: w.join(), bob: w.join(), mallory: w.join()}
	if m := a.alice.send(a.bob.User, "meet at nine"); m.State != Sent {
		t.Fatalf("state %s, want sent", m.State)
	}
	a.envelope = a.bob.mail()[0]
	return a
}

// refused asserts that an envelope is refused for this reason, shown, acknowledged, and no message.
func (a *attack) refused(to *party, envelope Envelope, want RefusalReason) {
	a.t.Helper()
	step := to.receive(envelope)
	if got := refusal(step); got != want {
		a.t.Fatalf("refused for %q, want %q; notices %+v", got, want, step.Notices)
	}
	if texts := to.texts(a.alice.User); len(texts) > 0 {
		a.t.Fatalf("it stands in the history: %q", texts)
	}
	for _, notice := range must(to.host().Waiting(0, 100)) {
		step := to.step(func(h Host) (Step, error) { return h.HandedOver(notice.Number) })
		if notice.Refusal != nil && !slices.ContainsFunc(step.Requests, isAcknowledge(envelope.Cursor)) {
			a.t.Fatal("the refused envelope is not acknowledged: it would come for ever")
		}
	}
	kept := must(to.host().Refusals(0, 10))
	if len(kept) == 0 || kept[len(kept)-1].Reason != want {
		a.t.Fatalf("kept refusals %+v, want one for %q", kept, want)
	}
}

func isAcknowledge(cursor string) func(Request) bool {
	return func(r Request) bool {
		ack, ok := r.(*Acknowledge)
		return ok && ack.Cursor == cursor
	}
}

func TestHonestServer(t *testing.T) {
	a := newAttack(t)
	step := a.bob.receive(a.envelope)
	if len(step.Notices) != 1 || step.Notices[0].Message == nil {
		t.Fatalf("notices %+v, want one message", step.Notices)
	}
	m := step.Notices[0].Message
	if m.Text != "meet at nine" || m.Sender != a.alice.User || m.Device != a.alice.Device || m.Counter != 1 || len(m.Marks) > 0 {
		t.Fatalf("message %+v", m)
	}
}

func TestAttackSwapsSender(t *testing.T) {
	a := newAttack(t)
	a.envelope.SenderUser, a.envelope.SenderDevice = a.mallory.User.String(), a.mallory.Device.String()
	a.refused(a.bob, a.envelope, Forged)
}

func TestAttackSwapsSenderDeviceOnly(t *testing.T) {
	a := newAttack(t)
	a.envelope.SenderDevice = a.mallory.Device.String()
	a.refused(a.bob, a.envelope, UnknownDevice)
}

func TestAttackRedirectsToAnotherRecipient(t *testing.T) {
	a := newAttack(t)
	a.refused(a.mallory, a.envelope, Forged)
}

// Mallory, who may write to Bob, seals what Alice wrote to her as if Alice had written it to Bob: he lacks her key.
func TestAttackForwardsUnderAnotherName_C1_1(t *testing.T) {
	a := newAttack(t)
	content := a.content(a.mallory, a.bob)
	content.SenderUser, content.SenderDevice = a.alice.User, a.alice.Device
	content.Conversation = cryptobox.ConversationID(a.alice.User, a.bob.User)
	a.refused(a.bob, a.seal(content, a.mallory, a.bob), OtherContext)
}

func TestAttackRedirectsToAnotherConversation_C1_1(t *testing.T) {
	a := newAttack(t)
	a.alice.receiveAll(a.mallory.greets(a.alice))
	content := a.content(a.alice, a.bob)
	content.Conversation = cryptobox.ConversationID(a.alice.User, a.mallory.User)
	if _, err := content.Marshal(); err == nil {
		t.Fatal("such content can be made")
	}
	raw := must(a.content(a.alice, a.bob).Marshal())
	copy(raw[97:129], content.Conversation[:])
	a.refused(a.bob, a.sealRaw(raw, content.MessageID, a.alice, a.bob), ContentMalformed)
}

func (p *party) greets(to *party) []Envelope {
	p.send(to.User, "hello")
	return to.mail()
}

func (p *party) receiveAll(envelopes []Envelope) {
	for _, envelope := range envelopes {
		p.receive(envelope)
	}
}

// B2.1: the box that Alice sent opens with her own key, too.
func TestAttackReflectsBoxToItsSender_B2_1(t *testing.T) {
	a := newAttack(t)
	a.envelope.SenderUser, a.envelope.SenderDevice = a.bob.User.String(), a.bob.Device.String()
	step := a.alice.receive(a.envelope)
	if got := refusal(step); got != Reflected {
		t.Fatalf("refused for %q, want %q", got, Reflected)
	}
	if texts := a.alice.texts(a.bob.User); len(texts) != 1 {
		t.Fatalf("history %q, want only what Alice wrote", texts)
	}
}

func TestAttackReturnsOwnDeviceAsSender_B2_1(t *testing.T) {
	a := newAttack(t)
	step := a.alice.receive(a.envelope)
	if got := refusal(step); got != Reflected {
		t.Fatalf("refused for %q, want %q", got, Reflected)
	}
}

func TestAttackReplaysSameMessageID_B2_2(t *testing.T) {
	a := newAttack(t)
	a.bob.receive(a.envelope)
	a.envelope.ID, a.envelope.Cursor = "e99", "c99"
	step := a.bob.receive(a.envelope)
	if len(step.Notices) > 0 || !slices.ContainsFunc(step.Requests, isAcknowledge("c99")) {
		t.Fatalf("step %+v, want an acknowledgement and nothing to show", step)
	}
	if texts := a.bob.texts(a.alice.User); len(texts) != 1 {
		t.Fatalf("history %q, want it once", texts)
	}
}

func TestAttackReplaysUnderAnotherMessageID_B2_2(t *testing.T) {
	a := newAttack(t)
	a.bob.receive(a.envelope)
	a.envelope.MessageID = must(newMessageID(a.now, a.random)).String()
	if got := refusal(a.bob.receive(a.envelope)); got != OtherContext {
		t.Fatalf("refused for %q, want %q", got, OtherContext)
	}
	if texts := a.bob.texts(a.alice.User); len(texts) != 1 {
		t.Fatalf("history %q, want it once", texts)
	}
}

func TestAttackStripsOrChangesEnvelope(t *testing.T) {
	for name, change := range map[string]struct {
		change func(*Envelope)
		want   RefusalReason
	}{
		"kind":              {func(e *Envelope) { e.Kind, e.Nonce = KindSession, nil }, NeedsSession},
		"kind of start":     {func(e *Envelope) { e.Kind, e.Nonce = KindSessionStart, nil }, NeedsSession},
		"kind with a nonce": {func(e *Envelope) { e.Kind = KindSession }, Malformed},
		"unknown kind":      {func(e *Envelope) { e.Kind = "PLAIN" }, NeedsSession},
		"no nonce":          {func(e *Envelope) { e.Nonce = nil }, Malformed},
		"long nonce":        {func(e *Envelope) { e.Nonce = append(e.Nonce, 0) }, Malformed},
		"changed nonce":     {func(e *Envelope) { e.Nonce[0] ^= 1 }, Forged},
		"no ciphertext":     {func(e *Envelope) { e.Ciphertext = nil }, Forged},
		"cut ciphertext":    {func(e *Envelope) { e.Ciphertext = e.Ciphertext[:len(e.Ciphertext)-1] }, Forged},
		"changed content":   {func(e *Envelope) { e.Ciphertext[40] ^= 1 }, Forged},
		"oversized":         {func(e *Envelope) { e.Ciphertext = make([]byte, 1<<20) }, Malformed},
		"message id":        {func(e *Envelope) { e.MessageID = "one" }, Malformed},
		"upper-case id":     {func(e *Envelope) { e.MessageID = strings.ToUpper(e.MessageID) }, Malformed},
		"no sender":         {func(e *Envelope) { e.SenderUser = "" }, Malformed},
		"endless sender":    {func(e *Envelope) { e.SenderDevice = strings.Repeat("d", 1<<20) }, Malformed},
		"other user's name": {func(e *Envelope) { e.SenderUser = strings.Repeat("u", 33) }, UnknownSender},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAttack(t)
			change.change(&a.envelope)
			a.refused(a.bob, a.envelope, change.want)
			for key, value := range a.bob.records {
				if len(value) > 4096 {
					t.Fatalf("%v grew to %d bytes", key, len(value))
				}
			}
		})
	}
}

// The server says that the list has changed, for ever, and shows nothing new: nothing is given away, nothing is lost.
func TestAttackSaysListChangedForEver(t *testing.T) {
	a := newAttack(t)
	a.alice.compose(a.bob.User, "second")
	var ids []MessageID
	for range 5 {
		request := a.alice.sealNext(a.bob.User)
		ids = append(ids, request.MessageID)
		a.alice.step(func(h Host) (Step, error) { return h.Declined(request, RefusedListChanged) })
	}
	if slices.ContainsFunc(ids, func(id MessageID) bool { return id != ids[0] }) {
		t.Fatalf("ids %v, want one and the same", ids)
	}
	if m := must(a.alice.host().Message(a.bob.User, 2)); m.State != Queued || m.Counter != 2 {
		t.Fatalf("message %+v, want it queued with counter 2", m)
	}
}

func TestRecordsOfNewerRelease(t *testing.T) {
	a := newAttack(t)
	for key := range a.bob.records {
		a.bob.records[key] = []byte(`{"v":2,"d":{}}`)
	}
	if _, err := a.bob.host().Receive(a.envelope); !errors.Is(err, ErrRecordVersion) {
		t.Fatalf("error %v, want ErrRecordVersion", err)
	}
}

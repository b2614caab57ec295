package device

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// Kind is what kind of envelope the server says it is, as in the schema's EnvelopeKind.
type Kind string

// The kinds.
const (
	KindBox          Kind = "BOX"
	KindSession      Kind = "SESSION"
	KindSessionStart Kind = "SESSION_START"
)

// Envelope is an envelope in the words of the server: nothing of it is verified.
type Envelope struct {
	ID, Cursor               string
	MessageID                string
	SenderUser, SenderDevice string
	Kind                     Kind
	Ciphertext, Nonce        []byte
}

// Bounds of what is kept of a refused envelope's words.
const maxQuoted = 64

// Receive opens an envelope. The step holds
//
//   - FetchUser requests and nothing else if chains have to be fetched first (C2.1). Feed the answers into Fetched and
//     call Receive again with the users who were asked for, whatever came out;
//   - otherwise the message, or its refusal, with the accepted pair (B2.2), the cursor and the notice in one commit;
//   - or just an Acknowledge if the envelope was accepted before, or its sender is blocked.
func (h Host) Receive(envelope Envelope, asked ...identity.UserID) (Step, error) {
	w := h.begin()
	if err := w.moveCursor(envelope.Cursor); err != nil {
		return Step{}, err
	}
	blocked, err := w.fromBlocked(envelope)
	if err != nil {
		return Step{}, err
	}
	if blocked {
		w.acknowledge(envelope.Cursor)
		return w.step, nil
	}
	arrived, err := w.open(envelope)
	var (
		fetch   *chainNeededError
		refusal refusalError
	)
	switch {
	case err == nil:
		return w.done(w.accept(arrived, envelope))
	case errors.Is(err, errAcceptedBefore):
		w.acknowledge(envelope.Cursor)
		return w.step, nil
	case errors.As(err, &fetch) && !slices.Contains(asked, fetch.user):
		return Step{Requests: []Request{&FetchUser{User: fetch.user, Since: fetch.since}}}, nil
	case errors.As(err, &fetch):
		return w.refuseAfterFetch(envelope, fetch)
	case errors.As(err, &refusal):
		return w.done(w.refuse(envelope, RefusalReason(refusal)))
	default:
		return Step{}, err
	}
}

// refusalError ends the opening of an envelope with a refusal.
type refusalError RefusalReason

func (e refusalError) Error() string { return string(e) }

// chainNeededError ends it with a chain to fetch, or with a refusal if that did not help.
type chainNeededError struct {
	user      identity.UserID
	since     uint32
	otherwise RefusalReason
}

func (e *chainNeededError) Error() string { return "a device list has to be fetched first" }

var errAcceptedBefore = errors.New("accepted before")

func (w *work) refuse(envelope Envelope, reason RefusalReason) error {
	if err := w.askAgain(envelope, reason); err != nil {
		return err
	}
	quote := func(text string) string { return text[:min(len(text), maxQuoted)] }
	return w.keepRefusal(Refusal{
		Reason: reason, Envelope: quote(envelope.ID), MessageID: quote(envelope.MessageID),
		Sender: quote(envelope.SenderUser), Device: quote(envelope.SenderDevice), At: w.Now,
	}, envelope.Cursor)
}

// refuseAfterFetch refuses what another look at the sender's lists has not helped.
func (w *work) refuseAfterFetch(envelope Envelope, fetch *chainNeededError) (Step, error) {
	alarm, err := w.LastAlarm(fetch.user)
	if err != nil {
		return Step{}, err
	}
	if alarm != nil {
		return w.done(w.refuse(envelope, SenderListRefused))
	}
	return w.done(w.refuse(envelope, fetch.otherwise))
}

// acceptedKey is the record of an accepted pair (B2.2). It stays as long as the box key is held.
func acceptedKey(device identity.DeviceID, message MessageID) Key {
	return Key{Collection: collectionAccepted, Owner: device.String() + "/" + message.String()}
}

// rawKey does the same for content of a newer version, in which no message id can be read.
func rawKey(device identity.DeviceID, raw []byte) Key {
	hash := sha256.Sum256(raw)
	return Key{Collection: collectionAccepted, Owner: device.String() + "/raw/" + hex.EncodeToString(hash[:])}
}

// accept makes the records of what was opened: history, accepted pair, counters, notice.
func (w *work) accept(a *arrival, envelope Envelope) error {
	message := &Message{
		ID: a.id, Peer: a.peer(), Sender: a.sender.User(), Device: a.device, State: Received,
		ReceivedAt: w.Now, SentAt: w.Now, Marks: a.marks,
	}
	if a.sender.User() == a.self.User {
		message.State = Sent
	}
	if err := w.put(acceptedKey(a.device, a.id), true); err != nil {
		return err
	}
	if a.opened != nil {
		if err := w.keepSession(a); err != nil {
			return err
		}
	}
	if a.content != nil && a.content.Body.Control() {
		return w.acceptControl(message, a, envelope)
	}
	if a.content == nil {
		message.Unsupported, message.Raw = true, a.raw
		if err := w.put(rawKey(a.device, a.raw), true); err != nil {
			return err
		}
	} else if err := w.fillIn(message, a); err != nil {
		return err
	}
	if err := w.append(message); err != nil {
		return err
	}
	if err := w.receipt(message, a); err != nil {
		return err
	}
	return w.show(Notice{Message: message, Cursor: envelope.Cursor})
}

// fillIn takes over what the content says, and looks at its counter (C1.2) and lists (C2.2).
func (w *work) fillIn(message *Message, a *arrival) error {
	content := a.content
	message.SentAt, message.Counter = writable(content.SentAt), content.Counter
	switch body := content.Body.(type) {
	case cryptobox.Text:
		message.Text = body.Text
	case cryptobox.Copy:
		message.Text = body.Text
	default:
		message.Unsupported, message.Raw = true, a.raw
	}
	if content.RecipientListVersion < a.self.chain.Version() {
		message.Marks = append(message.Marks, OutdatedList)
	}
	var seen sequence
	key := sequenceKey(message.Peer, a.device)
	if _, err := w.get(key, &seen); err != nil {
		return err
	}
	if err := w.markNewDevice(message, a, seen); err != nil {
		return err
	}
	missing, mark := seen.observe(content.Counter, a.self.fromStart())
	if mark != "" {
		message.Marks = append(message.Marks, mark)
	}
	message.Missing = missing
	return w.put(key, seen)
}

// markNewDevice shows that a user with whom there is a history writes from a device that joined later: a reinstalled or
// another one, or one that whoever holds the user key has added.
func (w *work) markNewDevice(message *Message, a *arrival, seen sequence) error {
	if seen.Highest > 0 || message.Outgoing() {
		return nil
	}
	var c conversation
	if _, err := w.get(conversationKey(message.Peer), &c); err != nil || c.History == 0 {
		return err
	}
	first, held := a.sender.At(1)
	if !held {
		return nil
	}
	if _, listed := first.Entry(a.device); !listed {
		message.Marks = append(message.Marks, NewDevice)
	}
	return nil
}

// lastWritable is the last instant that time.Time writes as JSON; content goes on for another 280,000 years.
var lastWritable = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)

// writable cuts what a sender's clock says to what records can hold: a stranger's clock must not stop the mailbox.
func writable(sentAt time.Time) time.Time {
	if sentAt.After(lastWritable) {
		return lastWritable
	}
	return sentAt
}

// fromStart reports whether this device is on the first version of its user's list, and so gets every message that its
// user was ever sent.
func (o *own) fromStart() bool {
	first, held := o.chain.At(1)
	if !held {
		return false
	}
	_, listed := first.Entry(o.Device)
	return listed
}

// removedGrace is how long messages of a removed device are read, with a mark (C4).
const removedGrace = 30 * 24 * time.Hour

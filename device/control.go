package device

import (
	"slices"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// resendWithin is how long a message may be asked for again (R6).
const resendWithin = 7 * 24 * time.Hour

// control is what an outbox holds besides messages: what clients tell each other, sealed like them. It travels in sessions
// that exist; only what goes to one device starts one. Nobody is told if it does not arrive.
type control struct {
	Receipt  cryptobox.ReceiptType `json:",omitempty"`
	Messages []MessageID           `json:",omitempty"` // that the receipt is about, or the one to be sent again
	Device   identity.DeviceID     `json:",omitzero"`  // the only one it goes to; zero for all
	Text     string                `json:",omitempty"` // of a message that is sent again
}

func (c *control) body() cryptobox.Body {
	switch {
	case c.Receipt != 0:
		ids := make([][16]byte, len(c.Messages))
		for i, id := range c.Messages {
			ids[i] = id
		}
		return cryptobox.Receipt{Type: c.Receipt, Messages: ids}
	case c.Text != "":
		return cryptobox.Resent{Message: c.Messages[0], Text: c.Text}
	default:
		return cryptobox.ResendRequest{Message: c.Messages[0]}
	}
}

// settings are what the user has decided about receipts.
type settings struct {
	ReadReceipts bool
	NoReceipts   bool // no delivered receipts either
}

// SetReceipts decides whether contacts are told that their messages were delivered (on by default) and read (off by default).
func (h Host) SetReceipts(delivered, read bool) (Step, error) {
	w := h.begin()
	return w.done(w.put(Key{Collection: collectionSettings}, settings{ReadReceipts: read, NoReceipts: !delivered}))
}

// Receipts tells what SetReceipts has decided.
func (h Host) Receipts() (delivered, read bool, err error) {
	var s settings
	_, err = h.read(Key{Collection: collectionSettings}, &s)
	return !s.NoReceipts, s.ReadReceipts, err
}

// isContact reports whether this user is somebody to answer without being asked: one with a name here, or to whom something was sent
// (R6), and who is not blocked. Strangers learn nothing from silence.
func (w *work) isContact(user identity.UserID) (bool, error) {
	if blocked, err := w.IsBlocked(user); err != nil || blocked {
		return false, err
	}
	var c conversation
	if _, err := w.get(conversationKey(user), &c); err != nil || c.Counter > 0 {
		return c.Counter > 0, err
	}
	contacts, err := w.Contacts()
	return slices.ContainsFunc(contacts, func(c Contact) bool { return c.User == user }), err
}

// enqueueControl puts something into an outbox. A receipt joins one that waits there unsealed. It comes to nothing where there is no more
// room: what is received must not depend on what can't be sent.
func (w *work) enqueueControl(to identity.UserID, c control) error {
	var conv conversation
	if _, err := w.get(conversationKey(to), &conv); err != nil {
		return err
	}
	if c.Receipt != 0 && conv.Outbox > 0 {
		var last outgoing
		found, err := w.get(outboxKey(to, conv.Outbox), &last)
		if err != nil {
			return err
		}
		if found && last.Control != nil && last.Control.Receipt == c.Receipt && len(last.Recipients) == 0 &&
			len(last.Control.Messages)+len(c.Messages) <= cryptobox.MaxReceipts {
			last.Control.Messages = append(last.Control.Messages, c.Messages...)
			return w.put(outboxKey(to, conv.Outbox), last)
		}
	}
	if full, err := w.outboxFull(to, conv.Outbox); err != nil || full {
		return err
	}
	id, err := newMessageID(w.Now, w.Rand)
	if err != nil {
		return err
	}
	return w.enqueue(outgoing{ID: id, To: to, Control: &c})
}

// receipt queues the receipt that a message which has just come deserves.
func (w *work) receipt(message *Message, a *arrival) error {
	if message.Outgoing() || message.Unsupported || a.opened == nil {
		return nil
	}
	var s settings
	if _, err := w.get(Key{Collection: collectionSettings}, &s); err != nil || s.NoReceipts {
		return err
	}
	contact, err := w.isContact(message.Peer)
	if err != nil || !contact {
		return err
	}
	return w.enqueueControl(message.Peer, control{Receipt: cryptobox.ReceiptDelivered, Messages: []MessageID{message.ID}})
}

// MarkRead records that the messages of a conversation up to this number were shown. Contacts learn it if read receipts
// are on.
func (h Host) MarkRead(peer identity.UserID, upTo uint64) (Step, error) {
	w := h.begin()
	var c conversation
	if _, err := w.get(conversationKey(peer), &c); err != nil {
		return Step{}, err
	}
	upTo = min(upTo, c.History)
	from := max(c.Read, upTo-min(upTo, cryptobox.MaxReceipts))
	if upTo <= from {
		return Step{}, nil
	}
	var ids []MessageID
	for number := from + 1; number <= upTo; number++ {
		message, err := w.Message(peer, number)
		if err != nil {
			return Step{}, err
		}
		if message != nil && message.State == Received && !message.Unsupported {
			ids = append(ids, message.ID)
		}
	}
	c.Read = upTo
	if err := w.put(conversationKey(peer), c); err != nil {
		return Step{}, err
	}
	var s settings
	if _, err := w.get(Key{Collection: collectionSettings}, &s); err != nil {
		return Step{}, err
	}
	contact, err := w.isContact(peer)
	if err != nil || !contact || !s.ReadReceipts || len(ids) == 0 {
		return w.done(err)
	}
	return w.done(w.enqueueControl(peer, control{Receipt: cryptobox.ReceiptRead, Messages: ids}))
}

// sealControl seals what an outbox's head tells the peer's devices. Without any session it is dropped.
func (w *work) sealControl(
	self *own, peer *identity.Chain, item *outgoing, number uint64, claimed []identity.UserID,
) (ended bool, err error) {
	if only := item.Control.Device; only != (identity.DeviceID{}) && !slices.Contains(claimed, item.To) {
		has, err := w.hasSession(item.To, only)
		if err != nil {
			return false, err
		}
		if !has {
			w.step.Requests = append(w.step.Requests, &ClaimPrekeys{User: item.To, Devices: []identity.DeviceID{only}})
			return true, nil
		}
	}
	var c conversation
	if _, err := w.get(conversationKey(item.To), &c); err != nil {
		return false, err
	}
	c.Control++
	if err := w.put(conversationKey(item.To), c); err != nil {
		return false, err
	}
	content := w.content(self, &Message{ID: item.ID, Peer: item.To, Counter: c.Control, SentAt: w.Now})
	content.Conversation = cryptobox.ControlConversationID(self.User, item.To)
	content.Body = item.Control.body()
	list := peer.Head()
	recipient := Recipient{User: item.To, ListVersion: list.Version}
	for _, entry := range list.Entries {
		only := item.Control.Device
		if !entry.Protocols.Has(identity.ProtocolSession) || only != (identity.DeviceID{}) && only != entry.DeviceID() {
			continue
		}
		envelope, err := w.sealOne(self, list, entry, content)
		if err != nil {
			return false, err
		}
		if envelope != nil {
			recipient.Envelopes = append(recipient.Envelopes, *envelope)
		}
	}
	if len(recipient.Envelopes) == 0 {
		return true, w.dequeue(item.To, number)
	}
	item.Recipients = []Recipient{recipient}
	item.Sealings++
	return false, nil
}

// sentRecord tells where a message that was sent stands in its conversation's history.
type sentRecord struct{ Number uint64 }

func sentKey(peer identity.UserID, id MessageID) Key {
	return Key{Collection: collectionSent, Owner: peer.String() + "/" + id.String()}
}

// sentMessage finds a message of one's own that went to this peer, or gives nil.
func (w *work) sentMessage(peer identity.UserID, id MessageID) (*Message, error) {
	var sent sentRecord
	found, err := w.get(sentKey(peer, id), &sent)
	if err != nil || !found {
		return nil, err
	}
	message := new(Message)
	if _, err := w.get(historyKey(peer, sent.Number), message); err != nil {
		return nil, err
	}
	return message, nil
}

// acceptControl does what the peer's client has told. It shows nothing but a message that was lost before.
func (w *work) acceptControl(message *Message, a *arrival, envelope Envelope) error {
	switch body := a.content.Body.(type) {
	case cryptobox.Receipt:
		if err := w.acceptReceipt(a, body); err != nil {
			return err
		}
	case cryptobox.ResendRequest:
		if err := w.resend(a, body.Message); err != nil {
			return err
		}
	case cryptobox.Resent:
		return w.acceptResent(message, a, body, envelope)
	}
	w.acknowledge(envelope.Cursor)
	return nil
}

// acceptReceipt counts only from whom the message went to (C1): it is looked up in the conversation with the sender.
func (w *work) acceptReceipt(a *arrival, receipt cryptobox.Receipt) error {
	for _, id := range receipt.Messages {
		message, err := w.sentMessage(a.sender.User(), id)
		if err != nil {
			return err
		}
		if message == nil || message.Sender != a.self.User {
			continue
		}
		at := &message.DeliveredAt
		if receipt.Type == cryptobox.ReceiptRead {
			at = &message.ReadAt
		}
		if !at.IsZero() {
			continue
		}
		*at = w.Now
		if err := w.put(historyKey(message.Peer, message.Number), message); err != nil {
			return err
		}
	}
	return nil
}

// askAgain asks a contact's device to send again what did not open, once (R6), in a new session where there is none that works. The
// ids are the server's word: who made them up makes a contact answer to a request about nothing.
func (w *work) askAgain(envelope Envelope, reason RefusalReason) error {
	lost := reason == NoSession || reason == Forged || reason == TooFarAhead || reason == PrekeyGone
	if !lost || envelope.Kind == KindBox {
		return nil
	}
	claimed, err := readClaim(envelope)
	if err != nil {
		return nil //nolint:nilerr // there is nobody to ask
	}
	contact, err := w.isContact(claimed.user)
	if err != nil || !contact {
		return err
	}
	record, err := w.sessions(claimed.user, claimed.device)
	if err != nil {
		return err
	}
	if since := w.Now.Sub(record.ResetAt); since < 0 || since >= resetEvery {
		record.ResetAt, record.Asked = w.Now, 0
		record.retire(w.Now)
	}
	if record.Asked >= maxAsked {
		return nil
	}
	record.Asked++
	if err := w.putSessions(claimed.user, claimed.device, record); err != nil {
		return err
	}
	return w.enqueueControl(claimed.user, control{Messages: []MessageID{claimed.id}, Device: claimed.device})
}

// A server can make up envelopes at will: what a device does because they don't open has bounds.
const (
	// resetEvery is how often it gives the session with another device up.
	resetEvery = time.Hour
	// maxAsked is how many messages it asks for in that time.
	maxAsked = 20
)

// resend sends a message again to the device that asks for it, if it was addressed to that one, once, within a week (R6).
func (w *work) resend(a *arrival, id MessageID) error {
	message, err := w.sentMessage(a.sender.User(), id)
	if err != nil || message == nil || message.Device != a.self.Device || w.Now.Sub(message.SentAt) > resendWithin {
		return err
	}
	contact, err := w.isContact(a.sender.User())
	at := slices.Index(message.Addressed, a.device)
	_, standing := a.sender.Device(a.device)
	if err != nil || !contact || at < 0 || standing != identity.Listed {
		return err
	}
	message.Addressed = slices.Delete(message.Addressed, at, at+1)
	if err := w.put(historyKey(message.Peer, message.Number), message); err != nil {
		return err
	}
	return w.enqueueControl(message.Peer, control{Messages: []MessageID{id}, Device: a.device, Text: message.Text})
}

// acceptResent shows a message that was lost before, unless it came after all.
func (w *work) acceptResent(message *Message, a *arrival, body cryptobox.Resent, envelope Envelope) error {
	original := MessageID(body.Message)
	before, err := w.get(acceptedKey(a.device, original), new(bool))
	if err != nil {
		return err
	}
	if before {
		w.acknowledge(envelope.Cursor)
		return nil
	}
	if err := w.put(acceptedKey(a.device, original), true); err != nil {
		return err
	}
	message.SentAt, message.Text, message.Resends = writable(a.content.SentAt), body.Text, original
	message.Marks = append(message.Marks, SentAgain)
	if err := w.append(message); err != nil {
		return err
	}
	return w.show(Notice{Message: message, Cursor: envelope.Cursor})
}

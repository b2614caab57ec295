package device

import (
	"slices"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// A message id that no server has seen is made anew when it is older than this, or from the future: servers remember ids
// for days only.
const (
	maxIDAge  = 24 * time.Hour
	maxIDLead = 30 * time.Second
)

// NextSend gives what has to be asked of the server to send the first message of an outbox: its recipient's chain, prekeys, or
// sendMessage. It gives no request if the outbox is empty, or if this step found that the message can't be sent: then
// the step has a notice, and there may be a next message.
//
// A conversation's messages go out one after the other, so that none overtakes another and a counter is used up only by
// what the server has taken.
//
// claimed are the users whose prekeys were asked for since the outbox's head has been tried first: what has no session by
// then gets none (B3).
func (h Host) NextSend(to identity.UserID, claimed ...identity.UserID) (Step, error) {
	if err := h.MaySend(to); err != nil {
		return Step{}, err // it stays queued until the user has decided (F7, F8)
	}
	w := h.begin()
	item, number, err := w.head(to)
	if err != nil || item == nil {
		return Step{}, err
	}
	if len(item.Recipients) == 0 {
		ended, err := w.seal(item, number, claimed)
		if err != nil || ended {
			return w.done(err)
		}
	}
	item.Tries++
	if err := w.put(outboxKey(to, number), item); err != nil {
		return Step{}, err
	}
	w.step.Requests = append(w.step.Requests, item.request(number))
	return w.step, nil
}

func (o *outgoing) request(number uint64) *SendMessage {
	return &SendMessage{
		MessageID: o.ID, Recipients: o.Recipients,
		To: o.To, Number: number, Sealed: o.Sealings, History: o.History,
	}
}

// seal makes the envelopes of an outbox's head. The step has ended if a chain has to be fetched first, or if the message
// can't be sent.
func (w *work) seal(item *outgoing, number uint64, claimed []identity.UserID) (ended bool, err error) {
	self, err := w.own()
	if err != nil {
		return false, err
	}
	defer self.erase()
	peer, err := w.chain(item.To)
	if err != nil {
		return false, err
	}
	if peer.Version() == 0 {
		w.step.Requests = append(w.step.Requests, &FetchUser{User: item.To})
		return true, nil
	}
	if item.Control != nil {
		return w.sealControl(self, peer, item, number, claimed)
	}
	if !item.Looked && self.cannotReachAll(peer) {
		// The list that is held may be an old one: a look before the message fails.
		item.Looked = true
		w.step.Requests = append(w.step.Requests, &FetchUser{User: item.To, Since: peer.Version()})
		return true, w.put(outboxKey(item.To, number), item)
	}
	if mine, _ := self.chain.Device(self.Device); mine.Protocols.Has(identity.ProtocolSession) {
		w.step.Requests, err = w.claims(self, claimed, peer, self.chain)
		if err != nil || len(w.step.Requests) > 0 {
			return true, err
		}
	}
	return w.sealMessage(self, peer, item, number)
}

func (w *work) sealMessage(self *own, peer *identity.Chain, item *outgoing, number uint64) (ended bool, err error) {
	if err := w.prepare(item); err != nil {
		return false, err
	}
	message, err := w.amend(item.To, item.History, func(m *Message) { m.ID, m.Counter = item.ID, item.Counter })
	if err != nil {
		return false, err
	}
	sealed, reason, err := w.envelopes(self, peer, message)
	if err != nil {
		return false, err
	}
	if reason != "" {
		return true, w.fail(item, number, reason)
	}
	item.Recipients, item.Left = sealed.recipients, sealed.left
	item.Sealings++
	message.Addressed = sealed.addressed
	if err := w.put(historyKey(item.To, item.History), message); err != nil {
		return false, err
	}
	return false, w.put(sentKey(item.To, item.ID), sentRecord{item.History})
}

// fromFuture tells of an id that was made before the clock was set back: no server takes such a one, so none has.
func (w *work) fromFuture(id MessageID) bool { return w.Now.Sub(id.Time()) < -maxIDLead }

// prepare gives a message its counter, and another id if its own is too old and was never shown to a server.
func (w *work) prepare(item *outgoing) error {
	age := w.Now.Sub(item.ID.Time())
	if item.Tries == 0 && (age > maxIDAge || w.fromFuture(item.ID)) {
		id, err := newMessageID(w.Now, w.Rand)
		if err != nil {
			return err
		}
		item.ID = id
	}
	if item.Counter > 0 {
		return nil
	}
	var c conversation
	if _, err := w.get(conversationKey(item.To), &c); err != nil {
		return err
	}
	c.Counter++
	item.Counter = c.Counter
	return w.put(conversationKey(item.To), c)
}

// Receipt is what the server answered to sendMessage.
type Receipt struct {
	AcceptedAt time.Time
	// Full are the devices whose mailboxes were full.
	Full []identity.DeviceID
}

// Accepted records that the server has taken a message. It changes nothing if that is known.
func (h Host) Accepted(request *SendMessage, receipt Receipt) (Step, error) {
	w := h.begin()
	item, err := w.current(request)
	if err != nil || item == nil {
		return Step{}, err
	}
	if err := w.countAccepted(item.envelopes() - min(item.envelopes(), uint64(len(receipt.Full)))); err != nil {
		return Step{}, err
	}
	full, devices := receipt.full(request, item.To)
	if full == devices && item.Control == nil {
		return w.done(w.fail(item, request.Number, MailboxFull))
	}
	if err := w.dequeue(item.To, request.Number); err != nil || item.Control != nil {
		return w.done(err)
	}
	_, err = w.amend(item.To, item.History, func(m *Message) {
		m.State = Sent
		if full+item.Left > 0 {
			m.Marks = append(m.Marks, PartlyDelivered)
		}
	})
	return w.done(err)
}

// full counts the recipient's devices with full mailboxes, and all of them.
func (r Receipt) full(request *SendMessage, to identity.UserID) (full, devices int) {
	isFull := make(map[identity.DeviceID]bool, len(r.Full))
	for _, device := range r.Full {
		isFull[device] = true
	}
	for _, recipient := range request.Recipients {
		if recipient.User != to {
			continue
		}
		for _, envelope := range recipient.Envelopes {
			devices++
			if isFull[envelope.Device] {
				full++
			}
		}
	}
	return full, devices
}

// Refused says how the server refused a message, having stored nothing.
type Refused int

// How a message was refused.
const (
	// RefusedListChanged is DEVICE_LIST_CHANGED.
	RefusedListChanged Refused = iota
	// RefusedExpired is MESSAGE_ID_EXPIRED.
	RefusedExpired
	// RefusedRecipient is RECIPIENT_UNKNOWN.
	RefusedRecipient
	// RefusedForGood is whatever trying again can't help.
	RefusedForGood
)

// Declined records that the server refused a message. After RefusedListChanged the step asks for the chains that may have
// moved on, and NextSend seals anew under the same id; after RefusedExpired, under a new one if no earlier try can have
// been taken. Otherwise the message has failed. It changes nothing if the message was sealed anew, or taken, since.
func (h Host) Declined(request *SendMessage, refused Refused) (Step, error) {
	w := h.begin()
	item, err := w.current(request)
	if err != nil || item == nil {
		return Step{}, err
	}
	switch {
	case refused == RefusedListChanged:
		return w.done(w.reopen(item, request))
	case refused == RefusedExpired && (item.Tries <= 1 || w.fromFuture(item.ID)):
		if item.ID, err = newMessageID(w.Now, w.Rand); err != nil {
			return Step{}, err
		}
		return w.done(w.reopen(item, request))
	default:
		return w.done(w.fail(item, request.Number, refused.reason()))
	}
}

func (r Refused) reason() FailureReason {
	switch r {
	case RefusedExpired:
		return InDoubt
	case RefusedRecipient:
		return RecipientUnknown
	default:
		return Declined
	}
}

// GiveUp fails the first message of an outbox without asking the server: its recipient is unknown, or the chain is refused. It
// changes nothing if another asker was told more meanwhile: the message is sealed by now, and may be with the server, or its recipient
// is known.
func (h Host) GiveUp(to identity.UserID, reason FailureReason) (Step, error) {
	w := h.begin()
	item, number, err := w.head(to)
	if err != nil || item == nil || len(item.Recipients) > 0 {
		return Step{}, err
	}
	if reason == RecipientUnknown {
		if chain, err := w.chain(to); err != nil || chain.Version() > 0 {
			return Step{}, err
		}
	}
	return w.done(w.fail(item, number, reason))
}

// current gives the outbox's head if the request is about it as it is sealed now.
func (w *work) current(request *SendMessage) (*outgoing, error) {
	item, number, err := w.head(request.To)
	if err != nil || item == nil {
		return nil, err
	}
	if number != request.Number || item.Sealings != request.Sealed || len(item.Recipients) == 0 {
		return nil, nil //nolint:nilnil // the documented answer of a late request
	}
	return item, nil
}

// reopen takes the envelopes off a message, which the server has refused and so will not take any more, and asks for
// the chains that they were sealed for.
func (w *work) reopen(item *outgoing, request *SendMessage) error {
	for _, recipient := range request.Recipients {
		chain, err := w.chain(recipient.User)
		if err != nil {
			return err
		}
		w.step.Requests = append(w.step.Requests, &FetchUser{User: recipient.User, Since: chain.Version()})
	}
	if !slices.ContainsFunc(request.Recipients, func(r Recipient) bool { return r.User != item.To }) {
		if err := w.askOwnChain(); err != nil {
			return err
		}
	}
	item.Recipients, item.Tries = nil, 0
	return w.put(outboxKey(item.To, request.Number), item)
}

// askOwnChain: one's own list may name a second device now.
func (w *work) askOwnChain() error {
	self, err := w.Self()
	if err != nil {
		return err
	}
	chain, err := w.chain(self.User)
	if err != nil {
		return err
	}
	w.step.Requests = append(w.step.Requests, &FetchUser{User: self.User, Since: chain.Version()})
	return nil
}

// fail ends a message. Its counter goes back unless the server has taken it or may have: only an outbox's head has one.
func (w *work) fail(item *outgoing, number uint64, reason FailureReason) error {
	if reason == InDoubt {
		if err := w.countAccepted(item.envelopes()); err != nil {
			return err
		}
	}
	if item.Control != nil {
		return w.dequeue(item.To, number)
	}
	used := reason == MailboxFull || reason == InDoubt
	if !used && item.Counter > 0 {
		var c conversation
		if _, err := w.get(conversationKey(item.To), &c); err != nil {
			return err
		}
		c.Counter = item.Counter - 1
		if err := w.put(conversationKey(item.To), c); err != nil {
			return err
		}
	}
	if err := w.dequeue(item.To, number); err != nil {
		return err
	}
	message, err := w.amend(item.To, item.History, func(m *Message) {
		m.State, m.Failure = Failed, reason
		if !used {
			m.Counter = 0
		}
	})
	if err != nil {
		return err
	}
	return w.show(Notice{Message: message})
}

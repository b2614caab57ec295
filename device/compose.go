package device

import (
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// Errors of Compose.
var (
	ErrTextEmpty   = errors.New("there is no text to send")
	ErrTextTooLong = errors.New("the text is longer than 60,000 bytes")
	ErrTextNotUTF8 = errors.New("the text is not UTF-8")
	// ErrToSelf: a message to one's own user id has nobody to go to.
	ErrToSelf = errors.New("this is your own user id")
	// ErrOutboxFull: 10,000 messages to this user wait to be sent.
	ErrOutboxFull = errors.New("10,000 messages to this user wait to be sent already")
)

const maxOutbox = 10_000

// outgoing is a message on its way.
type outgoing struct {
	ID      MessageID
	To      identity.UserID
	History uint64 // its number there
	// Counter is 0 until the message is sealed for the first time (C1.2).
	Counter uint64
	// Sealings counts how often it has been sealed, so that a late answer to an older sealing is recognised.
	Sealings   uint64
	Recipients []Recipient // the exact envelopes; empty if it has to be sealed
	Left       int         `json:",omitempty"` // devices of the recipient without a session
	// Control is set for what is no message; History and Counter are 0 then.
	Control *control `json:",omitempty"`
	// Looked: the recipient's list was asked for once more, since a device on it can't be reached.
	Looked bool `json:",omitempty"`
	// Tries counts the tries since the server last refused: the server may have taken any of them.
	Tries uint64
}

// outboxes lists the users who have something in their outbox.
type outboxes struct{ Users []identity.UserID }

func outboxKey(to identity.UserID, number uint64) Key {
	return Key{Collection: collectionOutbox, Owner: to.String(), Number: number}
}

// Compose takes a text to send: into the history, as Queued, and into the outbox. NextSend sends it. It fails with
// ErrTextEmpty, ErrTextTooLong, ErrTextNotUTF8, ErrToSelf, ErrOutboxFull, ErrBlocked, ErrContactChanged or
// ErrContactAlarm.
func (h Host) Compose(to identity.UserID, text string) (Step, *Message, error) {
	if err := checkText(text); err != nil {
		return Step{}, nil, err
	}
	self, err := h.Self()
	if err != nil {
		return Step{}, nil, err
	}
	if to == self.User {
		return Step{}, nil, ErrToSelf
	}
	if err := h.MaySend(to); err != nil {
		return Step{}, nil, err
	}
	id, err := newMessageID(h.Now, h.Rand)
	if err != nil {
		return Step{}, nil, err
	}
	w := h.begin()
	message := &Message{
		ID: id, Peer: to, Sender: self.User, Device: self.Device, Text: text,
		SentAt: h.Now, ReceivedAt: h.Now, State: Queued,
	}
	if err := w.append(message); err != nil {
		return Step{}, nil, err
	}
	if err := w.enqueue(outgoing{ID: id, To: to, History: message.Number}); err != nil {
		return Step{}, nil, err
	}
	return w.step, message, nil
}

func checkText(text string) error {
	switch {
	case text == "":
		return ErrTextEmpty
	case len(text) > cryptobox.MaxTextSize:
		return ErrTextTooLong
	case !utf8.ValidString(text):
		return ErrTextNotUTF8
	}
	return nil
}

func (w *work) enqueue(item outgoing) error {
	var c conversation
	if _, err := w.get(conversationKey(item.To), &c); err != nil {
		return err
	}
	full, err := w.outboxFull(item.To, c.Outbox)
	if err != nil {
		return err
	}
	if full {
		return ErrOutboxFull
	}
	c.Outbox++
	w.step.Queued = true
	if err := w.put(conversationKey(item.To), c); err != nil {
		return err
	}
	var index outboxes
	if _, err := w.get(Key{Collection: collectionOutboxes}, &index); err != nil {
		return err
	}
	if !slices.Contains(index.Users, item.To) {
		index.Users = append(index.Users, item.To)
		if err := w.put(Key{Collection: collectionOutboxes}, index); err != nil {
			return err
		}
	}
	return w.put(outboxKey(item.To, c.Outbox), item)
}

// outboxFull looks at the numbers alone: the outbox is emptied from its head.
func (w *work) outboxFull(to identity.UserID, last uint64) (bool, error) {
	first, err := w.Records.List(collectionOutbox, to.String(), 0, 1)
	if err != nil || len(first) == 0 {
		return false, err
	}
	return last-first[0].Number+1 >= maxOutbox, nil
}

// dequeue takes the head of an outbox out.
func (w *work) dequeue(to identity.UserID, number uint64) error {
	w.delete(outboxKey(to, number))
	rest, err := w.Records.List(collectionOutbox, to.String(), number, 1)
	if err != nil || len(rest) > 0 {
		return err
	}
	var index outboxes
	if _, err := w.get(Key{Collection: collectionOutboxes}, &index); err != nil {
		return err
	}
	index.Users = slices.DeleteFunc(index.Users, func(user identity.UserID) bool { return user == to })
	return w.put(Key{Collection: collectionOutboxes}, index)
}

// Outboxes gives the users to whom something is on its way.
func (h Host) Outboxes() ([]identity.UserID, error) {
	var index outboxes
	_, err := h.read(Key{Collection: collectionOutboxes}, &index)
	return index.Users, err
}

// head gives the first message of an outbox, or nil.
func (h Host) head(to identity.UserID) (*outgoing, uint64, error) {
	records, err := h.Records.List(collectionOutbox, to.String(), 0, 1)
	if err != nil || len(records) == 0 {
		return nil, 0, err
	}
	item := new(outgoing)
	return item, records[0].Number, decode(records[0].Value, item)
}

package device

import (
	"slices"

	"github.com/letterlock/letterlock/identity"
)

// conversation holds the last numbers of what is kept with one user.
type conversation struct {
	History uint64 // of the messages
	Outbox  uint64 // of the outbox
	Counter uint64 // of what this device has sealed (C1.2)
	Control uint64 `json:",omitempty"` // the same in the control conversation
	Read    uint64 `json:",omitempty"` // the last message that was shown
	Written bool   `json:",omitempty"` // one's own user has written, on this device or another
}

func conversationKey(peer identity.UserID) Key {
	return Key{Collection: collectionConversation, Owner: peer.String()}
}

func historyKey(peer identity.UserID, number uint64) Key {
	return Key{Collection: collectionHistory, Owner: peer.String(), Number: number}
}

// append adds a message to its conversation and numbers it.
func (w *work) append(message *Message) error {
	var c conversation
	found, err := w.get(conversationKey(message.Peer), &c)
	if err != nil {
		return err
	}
	if !found {
		if err := w.listConversation(message.Peer); err != nil {
			return err
		}
	}
	c.History++
	message.Number = c.History
	c.Written = c.Written || message.Outgoing()
	if err := w.put(conversationKey(message.Peer), c); err != nil {
		return err
	}
	return w.put(historyKey(message.Peer, message.Number), message)
}

func (w *work) listConversation(peer identity.UserID) error {
	number, err := w.next(func(t *tallies) *uint64 { return &t.Conversations })
	if err != nil {
		return err
	}
	return w.put(Key{Collection: collectionConversations, Number: number}, peer)
}

// amend changes a message of the history.
func (w *work) amend(peer identity.UserID, number uint64, change func(*Message)) (*Message, error) {
	message := new(Message)
	if _, err := w.get(historyKey(peer, number), message); err != nil {
		return nil, err
	}
	change(message)
	return message, w.put(historyKey(peer, number), message)
}

// Conversations gives the users with whom there is a history, in the order of the first message, at most limit after
// the first skip.
func (h Host) Conversations(skip uint64, limit int) ([]identity.UserID, error) {
	records, err := h.Records.List(collectionConversations, "", skip, limit)
	if err != nil {
		return nil, err
	}
	users := make([]identity.UserID, len(records))
	for i, record := range records {
		if err := decode(record.Value, &users[i]); err != nil {
			return nil, err
		}
	}
	return users, nil
}

// Extent gives the number of the last message of a conversation, and of the last one that was shown (MarkRead); 0 for none.
func (h Host) Extent(peer identity.UserID) (last, read uint64, err error) {
	var c conversation
	_, err = h.read(conversationKey(peer), &c)
	return c.History, c.Read, err
}

// Message gives one message of a history, or nil if there is none.
func (h Host) Message(peer identity.UserID, number uint64) (*Message, error) {
	message := new(Message)
	found, err := h.read(historyKey(peer, number), message)
	if err != nil || !found {
		return nil, err
	}
	return message, nil
}

// History gives the last messages of the conversation with a user, at most limit, with numbers below before (0: to the
// end). They are in the order in which they came, but what one device sent stands in the order in which it was sent.
func (h Host) History(peer identity.UserID, before uint64, limit int) ([]Message, error) {
	var c conversation
	if _, err := h.read(conversationKey(peer), &c); err != nil {
		return nil, err
	}
	if before == 0 || before > c.History+1 {
		before = c.History + 1
	}
	wanted := min(uint64(max(0, limit)), before-1)
	records, err := h.Records.List(collectionHistory, peer.String(), before-1-wanted, int(wanted)) //nolint:gosec // at most limit
	if err != nil {
		return nil, err
	}
	messages := make([]Message, len(records))
	for i, record := range records {
		if err := decode(record.Value, &messages[i]); err != nil {
			return nil, err
		}
	}
	return inSendingOrder(messages), nil
}

// inSendingOrder moves what came late before what its device sent after it (C1.2).
func inSendingOrder(messages []Message) []Message {
	ordered := make([]Message, 0, len(messages))
	for _, message := range messages {
		at := len(ordered)
		if slices.Contains(message.Marks, Late) {
			at = slices.IndexFunc(ordered, func(m Message) bool {
				return m.Device == message.Device && m.Counter > message.Counter
			})
			if at < 0 {
				at = len(ordered)
			}
		}
		ordered = slices.Insert(ordered, at, message)
	}
	return ordered
}

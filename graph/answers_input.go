package graph

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/graph/scalar"
	"github.com/letterlock/letterlock/internal/mailbox"
)

// What follows reads variables as the transports decode them: map[string]any, []any, string, json.Number and nil. It takes
// what the executor and the resolvers take, to the same values, and is false for everything else. It takes a little less, too:
// no lists of one element without brackets, and no __typename.

func readSend(value any) (send mailbox.Send, ok bool) {
	o := objectOf(value)
	send.MessageID, ok = readUUID(o.take("messageId"))
	if !ok {
		return send, false
	}
	if send.ExpiresIn, ok = readSeconds(o.take("expiresIn")); !ok {
		return send, false
	}
	list, ok := o.take("recipients").([]any)
	if !ok || o.left != 0 {
		return send, false
	}
	send.Recipients = make([]mailbox.Recipient, len(list))
	for i := range list {
		if send.Recipients[i], ok = readRecipient(list[i]); !ok {
			return send, false
		}
	}
	return send, true
}

func readCall(value any) (call mailbox.Call, ok bool) {
	o := objectOf(value)
	if call.CallID, ok = readUUID(o.take("callId")); !ok {
		return call, false
	}
	list, ok := o.take("messages").([]any)
	if !ok || o.left != 0 {
		return call, false
	}
	call.Messages = make([]mailbox.Outgoing, len(list))
	for i := range list {
		send, ok := readSend(list[i])
		if !ok {
			return call, false
		}
		call.Messages[i] = mailbox.Outgoing{MessageID: send.MessageID, ExpiresIn: send.ExpiresIn, Recipients: send.Recipients}
	}
	return call, true
}

func readCursor(value any) (mailbox.Cursor, bool) {
	text, err := scalar.UnmarshalCursor(value)
	if err != nil {
		return mailbox.Cursor{}, false
	}
	cursor, err := mailbox.ParseCursor(text)
	return cursor, err == nil
}

func readRecipient(value any) (recipient mailbox.Recipient, ok bool) {
	o := objectOf(value)
	user, err := userID(o.text("userId"))
	if err != nil {
		return recipient, false
	}
	n, ok := readInt(o.take("listVersion"))
	if !ok {
		return recipient, false
	}
	version, err := listVersion(n, "listVersion")
	if err != nil {
		return recipient, false
	}
	list, ok := o.take("envelopes").([]any)
	if !ok || o.left != 0 {
		return recipient, false
	}
	recipient = mailbox.Recipient{User: user, ListVersion: version, Envelopes: make([]mailbox.Envelope, len(list))}
	for i := range list {
		if recipient.Envelopes[i], ok = readEnvelope(list[i]); !ok {
			return recipient, false
		}
	}
	return recipient, true
}

func readEnvelope(value any) (envelope mailbox.Envelope, ok bool) {
	o := objectOf(value)
	var err error
	if envelope.Device, err = deviceID(o.text("deviceId")); err != nil {
		return envelope, false
	}
	if envelope.Kind = kindOf(model.EnvelopeKind(o.text("kind"))); envelope.Kind == 0 {
		return envelope, false
	}
	if envelope.Ciphertext, ok = readBytes(o.take("ciphertext")); !ok {
		return envelope, false
	}
	if nonce := o.take("nonce"); nonce != nil {
		if envelope.Nonce, ok = readBytes(nonce); !ok {
			return envelope, false
		}
	}
	return envelope, o.left == 0
}

// object is an input object, and how many of its members were not taken yet.
type object struct {
	members map[string]any
	left    int
}

// objectOf gives an object without members for what is none: each has some that must be there.
func objectOf(value any) *object {
	members, _ := value.(map[string]any)
	return &object{members, len(members)}
}

// take gives a member, nil if there is none, or if it is null.
func (o *object) take(name string) any {
	value, ok := o.members[name]
	if ok {
		o.left--
	}
	return value
}

// text gives a member that is a string, "" if it is none.
func (o *object) text(name string) string {
	text, _ := o.take(name).(string)
	return text
}

func readUUID(value any) (uuid.UUID, bool) {
	text, _ := value.(string)
	id, err := uuidOf(text, "")
	return id, err == nil
}

func readBytes(value any) ([]byte, bool) {
	b, err := scalar.UnmarshalBytes(value)
	return b, err == nil
}

// readSeconds reads an optional lifetime.
func readSeconds(value any) (time.Duration, bool) {
	if value == nil {
		return 0, true
	}
	n, ok := readInt(value)
	return time.Duration(n) * time.Second, ok && n >= 1
}

func readInt(value any) (int, bool) {
	if _, ok := value.(json.Number); !ok {
		return 0, false
	}
	n, err := scalar.UnmarshalInt(value)
	return n, err == nil
}

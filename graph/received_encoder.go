package graph

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"unique"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/letterlock/letterlock/graph/scalar"
	"github.com/letterlock/letterlock/internal/mailbox"
)

// encoder writes messages as one subscription has selected them, byte for byte what gqlgen's executor writes. Clients select the
// same over and over, so that it is held once for all who do.
type encoder = unique.Handle[encoding]

// encoding is what an encoder does. What is the same for every message is text; between its parts come the values.
type encoding struct {
	alias  string // of messageReceived
	text   string
	values string // a valueAt for each, packed
}

// valueAt is a value that comes where text has been written up to an offset: its low 24 bits.
type valueAt uint32

const (
	sizeOfValueAt = 4
	offsetBits    = 24
)

func (v valueAt) value() value { return value(v >> offsetBits) }
func (v valueAt) offset() int  { return int(v & (1<<offsetBits - 1)) }

// value is a field of Message, with what JSON puts around it.
type value uint8

const (
	valueID value = iota + 1
	valueCursor
	valueMessageID
	valueSenderUserID
	valueSenderDeviceID
	valueSenderListVersion
	valueSentAt
	valueExpiresAt
	valueKind
	valueCiphertext
	valueNonce
)

// maxText bounds the text of an encoder: who repeats so many keys for each message is served by the executor.
const maxText = 1 << 16

// compile makes the encoder of a subscription to messageReceived. ok is false for what only the executor can serve, or
// refuse.
func compile(op *graphql.OperationContext, field graphql.CollectedField) (e encoder, ok bool) {
	var (
		text   strings.Builder
		values []byte
	)
	text.WriteString(`{"data":{`)
	writeKey(&text, field.Alias)
	text.WriteByte('{')
	written := make(map[string]bool)
	for _, f := range graphql.CollectFields(op, field.Selections, []string{"Message"}) {
		if len(f.Deferrables) > 0 || written[f.Alias] || text.Len() > maxText {
			return encoder{}, false
		}
		if len(written) > 0 {
			text.WriteByte(',')
		}
		written[f.Alias] = true
		writeKey(&text, f.Alias)
		if f.Name == "__typename" {
			text.WriteString(`"Message"`)
			continue
		}
		v := valueOf(f.Name)
		if v == 0 {
			return encoder{}, false
		}
		if v.quoted() {
			text.WriteByte('"')
		}
		values = binary.LittleEndian.AppendUint32(values, uint32(v)<<offsetBits|uint32(text.Len())) // #nosec G115 -- maxText and one key are far below 1<<offsetBits
		if v.quoted() {
			text.WriteByte('"')
		}
	}
	text.WriteString(`}}}`)
	return unique.Make(encoding{alias: field.Alias, text: text.String(), values: string(values)}), true
}

// writeKey writes a key. A name of GraphQL has nothing to escape.
func writeKey(text *strings.Builder, name string) {
	text.WriteByte('"')
	text.WriteString(name)
	text.WriteString(`":`)
}

// valueOf names the value of a field of Message, 0 if there is none.
func valueOf(field string) value {
	switch field {
	case "id":
		return valueID
	case "cursor":
		return valueCursor
	case "messageId":
		return valueMessageID
	case "senderUserId":
		return valueSenderUserID
	case "senderDeviceId":
		return valueSenderDeviceID
	case "senderListVersion":
		return valueSenderListVersion
	case "sentAt":
		return valueSentAt
	case "expiresAt":
		return valueExpiresAt
	case "kind":
		return valueKind
	case "ciphertext":
		return valueCiphertext
	case "nonce":
		return valueNonce
	default:
		return 0
	}
}

// quoted is whether the value is a string, and never null.
func (v value) quoted() bool { return v != valueSenderListVersion && v != valueNonce }

// append appends the response that delivers m.
func (e encoding) append(b []byte, m *mailbox.Message) []byte {
	offset := 0
	for values := e.values; len(values) >= sizeOfValueAt; values = values[sizeOfValueAt:] {
		// What binary.LittleEndian does, which takes no string.
		at := valueAt(values[0]) | valueAt(values[1])<<8 | valueAt(values[2])<<16 | valueAt(values[3])<<24
		b = append(b, e.text[offset:at.offset()]...)
		b = at.value().append(b, m)
		offset = at.offset()
	}
	return append(b, e.text[offset:]...)
}

// append appends the value as messageModel and the schema's scalars spell it. None of the strings has anything to escape.
func (v value) append(b []byte, m *mailbox.Message) []byte {
	switch v {
	case valueID:
		return strconv.AppendInt(b, m.ID, 10)
	case valueCursor:
		return m.Cursor.Append(b)
	case valueMessageID:
		return appendUUID(b, m.MessageID)
	case valueSenderUserID:
		return m.SenderUser.Append(b)
	case valueSenderDeviceID:
		return m.SenderDevice.Append(b)
	case valueSenderListVersion:
		return strconv.AppendUint(b, uint64(m.SenderListVersion), 10)
	case valueSentAt:
		return scalar.AppendTime(b, m.SentAt)
	case valueExpiresAt:
		return scalar.AppendTime(b, m.ExpiresAt)
	case valueKind:
		return append(b, kindModel(m.Kind)...)
	case valueCiphertext:
		return base64.RawURLEncoding.AppendEncode(b, m.Ciphertext)
	case valueNonce:
		return appendNonce(b, m.Nonce)
	default:
		return b
	}
}

func appendNonce(b, nonce []byte) []byte {
	if nonce == nil {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = base64.RawURLEncoding.AppendEncode(b, nonce)
	return append(b, '"')
}

// appendUUID appends id.String().
func appendUUID(b []byte, id uuid.UUID) []byte {
	b = hex.AppendEncode(b, id[:4])
	for i := 4; i < 10; i += 2 {
		b = append(b, '-')
		b = hex.AppendEncode(b, id[i:i+2])
	}
	b = append(b, '-')
	return hex.AppendEncode(b, id[10:])
}

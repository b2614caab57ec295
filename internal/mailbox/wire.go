package mailbox

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/letterlock/letterlock/internal/wakeup"
)

// Wire is how messages travel with wake-ups between the nodes of one store. A message in version 1, integers big-endian,
// instants as Unix microseconds:
//
//	offset  size  field
//	0       1     version, 1
//	1       8     the store's epoch
//	9       8     message id: mailbox id × 2^32 + number
//	17      16    the sender's message id
//	33      20    sender's user id
//	53      20    sender's device id
//	73      4     sender's list version
//	77      8     when it was sent
//	85      8     when it expires
//	93      1     kind
//	94      24    nonce, for a Box alone
//	…       1 –   ciphertext
type Wire struct{}

var _ wakeup.Codec[Message] = Wire{}

const (
	wireVersion = 1
	wireHead    = 94
	// wireCiphertext is the longest ciphertext that travels. What is longer is read from the store: large messages are rare,
	// and a frame of wake-ups stays small.
	wireCiphertext = 4 << 10
)

var errWire = errors.New("a message from another node is damaged")

// Size is the length of a message's form, or 0 if it is too long to travel.
func (Wire) Size(m *Message) int {
	if len(m.Ciphertext) > wireCiphertext {
		return 0
	}
	return wireHead + len(m.Nonce) + len(m.Ciphertext)
}

// Append writes a message.
func (Wire) Append(b []byte, m *Message) []byte {
	b = append(b, wireVersion)
	b = appendInt64(b, m.Cursor.epoch)
	b = appendInt64(b, m.ID)
	b = append(b, m.MessageID[:]...)
	b = append(b, m.SenderUser[:]...)
	b = append(b, m.SenderDevice[:]...)
	b = binary.BigEndian.AppendUint32(b, m.SenderListVersion)
	b = appendInt64(b, m.SentAt.UnixMicro())
	b = appendInt64(b, m.ExpiresAt.UnixMicro())
	b = append(b, byte(m.Kind)) // #nosec G115 -- one of three small numbers
	b = append(b, m.Nonce...)
	return append(b, m.Ciphertext...)
}

// Decode reads what Append has written, and gives nil for a version that it does not know. The message shares the memory of b.
func (Wire) Decode(b []byte) (*Message, error) {
	if len(b) == 0 {
		return nil, errWire
	}
	if b[0] != wireVersion {
		return nil, nil //nolint:nilnil // by the contract of wakeup.Codec
	}
	if len(b) <= wireHead {
		return nil, errWire
	}
	m := &Message{
		ID:                readInt64(b[9:]),
		SenderListVersion: binary.BigEndian.Uint32(b[73:]),
		SentAt:            time.UnixMicro(readInt64(b[77:])).UTC(),
		ExpiresAt:         time.UnixMicro(readInt64(b[85:])).UTC(),
		Kind:              Kind(b[93]), // #nosec G115 -- checked in readSealed
	}
	m.Number = m.ID & maxNumber
	m.Cursor = Cursor{epoch: readInt64(b[1:]), mailbox: m.ID >> numberBits, number: m.Number}
	copy(m.MessageID[:], b[17:])
	copy(m.SenderUser[:], b[33:])
	copy(m.SenderDevice[:], b[53:])
	return m, m.readSealed(b[wireHead:])
}

// readSealed takes nonce and ciphertext, and refuses what no store would have numbered.
func (m *Message) readSealed(b []byte) error {
	if m.Kind == Box {
		if len(b) <= nonceLength {
			return errWire
		}
		m.Nonce, b = b[:nonceLength:nonceLength], b[nonceLength:]
	}
	m.Ciphertext = b
	if m.Kind < Box || m.Kind > SessionStart || m.Cursor.mailbox < 1 || m.Number < 1 || len(b) > wireCiphertext {
		return errWire
	}
	return nil
}

func appendInt64(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(n)) // #nosec G115 -- the same bits
}

func readInt64(b []byte) int64 {
	return int64(binary.BigEndian.Uint64(b)) // #nosec G115 -- the same bits
}

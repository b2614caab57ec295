package device

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
)

// MessageID is the UUIDv7 by which a sending device names a message.
type MessageID [16]byte

// ErrMessageID: not a UUIDv7 in lower-case hyphenated form.
var ErrMessageID = errors.New("not a message id")

// newMessageID makes one (RFC 9562, section 5.7) from a clock and a source of randomness that the host lends.
func newMessageID(now time.Time, random io.Reader) (MessageID, error) {
	var id MessageID
	if _, err := io.ReadFull(random, id[6:]); err != nil {
		return MessageID{}, fmt.Errorf("make a message id: %w", err)
	}
	var milliseconds [8]byte
	binary.BigEndian.PutUint64(milliseconds[:], uint64(max(0, now.UnixMilli())))
	copy(id[:6], milliseconds[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id, nil
}

// ParseMessageID reads the 36 characters of a UUIDv7; anything else is ErrMessageID.
func ParseMessageID(text string) (MessageID, error) {
	if len(text) != 36 {
		return MessageID{}, ErrMessageID
	}
	raw, err := hex.DecodeString(text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:])
	if err != nil || len(raw) != 16 {
		return MessageID{}, ErrMessageID
	}
	id := MessageID(raw)
	if id.String() != text || id[6]>>4 != 7 || id[8]>>6 != 2 {
		return MessageID{}, ErrMessageID
	}
	return id, nil
}

// Time gives the instant the id was made at, in whole milliseconds, by the clock of who made it.
func (id MessageID) Time() time.Time {
	var milliseconds [8]byte
	copy(milliseconds[2:], id[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(milliseconds[:]))).UTC() //nolint:gosec // 48 bits
}

// String gives the id's only spelling, 36 characters.
func (id MessageID) String() string {
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// MarshalText gives String.
func (id MessageID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseMessageID.
func (id *MessageID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseMessageID(string(text))
	return err
}

package cryptobox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"time"

	"github.com/letterlock/letterlock/identity"
)

const (
	contentVersion      = 1
	contentHeadSize     = 222
	conversationContext = "letterlock/conversation/v1"
)

// Content is what is sealed, whatever seals it: what is said, and all that binds it to its place (C1).
type Content struct {
	MessageID            [16]byte // a UUIDv7
	SenderUser           identity.UserID
	SenderDevice         identity.DeviceID
	RecipientUser        identity.UserID
	RecipientDevice      identity.DeviceID
	Conversation         [32]byte // see ConversationID
	Counter              uint64   // from 1; orders a sending device's messages in a conversation (C1.2)
	SenderListVersion    uint32   // from 1
	SenderListHash       [32]byte
	RecipientListVersion uint32 // from 1
	RecipientListHash    [32]byte
	SentAt               time.Time // by the sender's clock; UTC, whole microseconds
	Body                 Body
}

// ConversationID names the conversation of two users; their order does not matter.
func ConversationID(a, b identity.UserID) [32]byte {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	text := append([]byte(conversationContext), a[:]...)
	return sha256.Sum256(append(text, b[:]...))
}

// Marshal gives the padded bytes to seal (C3.1): MinContentSize to MaxContentSize of them. SentAt is cut to microseconds.
// It refuses what ParseContent refuses, with ErrTooLong or an ErrContent.
//
// The layout, by offset: 0 version, 1 message id, 17 sender's user and 37 device, 57 recipient's user and 77 device, 97
// conversation, 129 counter, 137 sender's list version and 141 hash, 173 recipient's and 177 hash, 209 sent at, 217 body
// type, 218 body length, 222 body, then zeros.
func (c *Content) Marshal() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 2*MinContentSize)
	b = append(b, contentVersion)
	b = append(b, c.MessageID[:]...)
	b = append(b, c.SenderUser[:]...)
	b = append(b, c.SenderDevice[:]...)
	b = append(b, c.RecipientUser[:]...)
	b = append(b, c.RecipientDevice[:]...)
	b = append(b, c.Conversation[:]...)
	b = binary.BigEndian.AppendUint64(b, c.Counter)
	b = binary.BigEndian.AppendUint32(b, c.SenderListVersion)
	b = append(b, c.SenderListHash[:]...)
	b = binary.BigEndian.AppendUint32(b, c.RecipientListVersion)
	b = append(b, c.RecipientListHash[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.SentAt.UnixMicro()))
	b = append(b, c.Body.kind(), 0, 0, 0, 0)
	b = c.Body.append(b)
	if PaddedLength(len(b)) > MaxContentSize {
		return nil, ErrTooLong
	}
	binary.BigEndian.PutUint32(b[contentHeadSize-4:], uint32(len(b)-contentHeadSize)) //nolint:gosec // below MaxContentSize
	return append(b, make([]byte, PaddedLength(len(b))-len(b))...), nil
}

// ParseContent reads what was opened and checks all that it can show by itself. Then Check and CheckLists compare it with
// the outside, without which it must not be used. It fails with an ErrContent, or with ErrContentVersion for content
// that a newer client may understand.
func ParseContent(b []byte) (*Content, error) {
	if len(b) < 1 {
		return nil, ErrContent
	}
	if b[0] != contentVersion {
		return nil, ErrContentVersion
	}
	if len(b) < MinContentSize || len(b) > MaxContentSize {
		return nil, ErrPadding
	}
	c := parseHead(b)
	length := binary.BigEndian.Uint32(b[218:222])
	if length > MaxContentSize || int(length) > len(b)-contentHeadSize {
		return nil, ErrContent
	}
	end := contentHeadSize + int(length)
	if PaddedLength(end) != len(b) || !allZero(b[end:]) {
		return nil, ErrPadding
	}
	micros := binary.BigEndian.Uint64(b[209:217])
	if micros > math.MaxInt64 {
		return nil, ErrContent
	}
	c.SentAt = time.UnixMicro(int64(micros)).UTC()
	var err error
	if c.Body, err = parseBody(b[217], b[contentHeadSize:end]); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

func parseHead(b []byte) *Content {
	return &Content{
		MessageID:            [16]byte(b[1:17]),
		SenderUser:           identity.UserID(b[17:37]),
		SenderDevice:         identity.DeviceID(b[37:57]),
		RecipientUser:        identity.UserID(b[57:77]),
		RecipientDevice:      identity.DeviceID(b[77:97]),
		Conversation:         [32]byte(b[97:129]),
		Counter:              binary.BigEndian.Uint64(b[129:137]),
		SenderListVersion:    binary.BigEndian.Uint32(b[137:141]),
		SenderListHash:       [32]byte(b[141:173]),
		RecipientListVersion: binary.BigEndian.Uint32(b[173:177]),
		RecipientListHash:    [32]byte(b[177:209]),
	}
}

// check refuses what has no encoding, the same for Marshal and ParseContent (N1).
func (c *Content) check() error {
	switch {
	case c.Body == nil || c.Counter == 0 || c.SenderListVersion == 0 || c.RecipientListVersion == 0:
		return ErrContent
	case !isMessageID(c.MessageID):
		return ErrMessageID
	case c.SentAt.UnixMicro() < 0 || !time.UnixMicro(c.SentAt.UnixMicro()).Equal(c.SentAt.Truncate(time.Microsecond)):
		return ErrContent
	}
	return c.Body.check(c)
}

// isMessageID reports whether these are the bytes of a UUIDv7.
func isMessageID(id [16]byte) bool { return id[6]>>4 == 7 && id[8]>>6 == 2 }

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

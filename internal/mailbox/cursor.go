package mailbox

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/letterlock/letterlock/internal/problem"
)

// Cursor is a position in one mailbox of one store (delivery contract 3). The zero value is no position.
type Cursor struct {
	epoch   int64
	mailbox int64
	number  int64
}

// A cursor is 16 bytes, big-endian, in URL-safe base64 without padding:
//
//	offset  size  field
//	0       8     the store's epoch
//	8       4     mailbox id, from 1
//	12      4     number, from 1
const (
	cursorLength = 16
	cursorText   = 22
)

var cursorEncoding = base64.RawURLEncoding.Strict()

// String gives the form that ParseCursor reads.
func (c Cursor) String() string { return string(c.Append(make([]byte, 0, cursorText))) }

// Append appends String.
func (c Cursor) Append(to []byte) []byte {
	var b [cursorLength]byte
	binary.BigEndian.PutUint64(b[:8], uint64(c.epoch))                        // #nosec G115 -- the same bits
	binary.BigEndian.PutUint64(b[8:], uint64(messageID(c.mailbox, c.number))) // #nosec G115 -- not negative
	return cursorEncoding.AppendEncode(to, b[:])
}

// ParseCursor reads what String gave. Anything else is CURSOR_INVALID, in every other spelling too.
func ParseCursor(text string) (Cursor, error) {
	var b [cursorLength]byte
	if len(text) != cursorText {
		return Cursor{}, cursorInvalid("This is not a cursor.")
	}
	// The decoder skips line breaks, which leaves fewer bytes.
	if n, err := cursorEncoding.Decode(b[:], []byte(text)); err != nil || n != cursorLength {
		return Cursor{}, cursorInvalid("This is not a cursor.")
	}
	id := int64(binary.BigEndian.Uint64(b[8:])) // #nosec G115 -- checked below
	c := Cursor{
		epoch:   int64(binary.BigEndian.Uint64(b[:8])), // #nosec G115 -- the same bits
		mailbox: id >> numberBits,
		number:  id & maxNumber,
	}
	if c.mailbox < 1 || c.number < 1 {
		return Cursor{}, cursorInvalid("This is not a cursor.")
	}
	return c, nil
}

// within checks a cursor against the mailbox that it is used for and the store's present epoch.
func (c Cursor) within(epoch, mailbox, last int64) error {
	switch {
	case c.epoch != epoch:
		return cursorInvalid("The server's store has been restored or replaced since this cursor was given out.")
	case c.mailbox != mailbox:
		return cursorInvalid("This cursor is of another mailbox.")
	case c.number > last:
		return cursorInvalid("This cursor is ahead of the mailbox.")
	}
	return nil
}

func (c Cursor) isWithin(epoch, mailbox, last int64) bool {
	return c.within(epoch, mailbox, last) == nil
}

func cursorInvalid(why string) error {
	return problem.New(problem.CursorInvalid, why+" Start again without a cursor and drop what is known by its message id.")
}

const (
	numberBits = 32
	// maxNumber is the last number that a mailbox can give out.
	maxNumber = 1<<numberBits - 1
	// maxMailbox is the highest mailbox id, so that message ids stay positive.
	maxMailbox = 1<<31 - 1
)

// messageID orders all messages by mailbox and number, so that one range of the primary key is one mailbox.
func messageID(mailbox, number int64) int64 { return mailbox<<numberBits | number }

package cryptobox

import (
	"bytes"
	"crypto/sha256"

	"github.com/letterlock/letterlock/identity"
)

const (
	bodyReceipt       byte = 3
	bodyResendRequest byte = 4
	bodyResent        byte = 5
)

const controlContext = "letterlock/control/v1"

// MaxReceipts is how many messages one receipt may name.
const MaxReceipts = 100

// ReceiptType says what a receipt is about.
type ReceiptType byte

// The types.
const (
	ReceiptDelivered ReceiptType = 1 // the message is in the history of one of the recipient's devices
	ReceiptRead      ReceiptType = 2 // it was shown
)

// Receipt tells the sender of messages what became of them.
type Receipt struct {
	Type     ReceiptType
	Messages [][16]byte // 1 to MaxReceipts message ids
}

// ResendRequest asks the device that sent a message to send it again, since it could not be opened (R6).
type ResendRequest struct{ Message [16]byte }

// Resent is a text that is sent again, under a new message id (R6).
type Resent struct {
	Message [16]byte // the id that it was first sent under
	Text    string
}

// ControlConversationID names what two users' clients have to tell each other. Its counters order nothing that is shown: gaps
// in them mean nothing (C1.5).
func ControlConversationID(a, b identity.UserID) [32]byte {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	text := append([]byte(controlContext), a[:]...)
	return sha256.Sum256(append(text, b[:]...))
}

// Control reports whether the body belongs to the control conversation.
func (Text) Control() bool { return false }

// Control reports whether the body belongs to the control conversation.
func (Copy) Control() bool { return false }

// Control reports whether the body belongs to the control conversation; of an unknown one it can't be told.
func (Unknown) Control() bool { return false }

// Control reports whether the body belongs to the control conversation.
func (Receipt) Control() bool { return true }

// Control reports whether the body belongs to the control conversation.
func (ResendRequest) Control() bool { return true }

// Control reports whether the body belongs to the control conversation.
func (Resent) Control() bool { return true }

func (Receipt) kind() byte       { return bodyReceipt }
func (ResendRequest) kind() byte { return bodyResendRequest }
func (Resent) kind() byte        { return bodyResent }

func (r Receipt) append(b []byte) []byte {
	b = append(b, byte(r.Type), byte(len(r.Messages))) //nolint:gosec // check has bounded it
	for _, id := range r.Messages {
		b = append(b, id[:]...)
	}
	return b
}

func (r ResendRequest) append(b []byte) []byte { return append(b, r.Message[:]...) }
func (r Resent) append(b []byte) []byte        { return append(append(b, r.Message[:]...), r.Text...) }

func (r Receipt) check(c *Content) error {
	if r.Type != ReceiptDelivered && r.Type != ReceiptRead || len(r.Messages) < 1 || len(r.Messages) > MaxReceipts {
		return ErrReceipt
	}
	for _, id := range r.Messages {
		if !isMessageID(id) {
			return ErrMessageID
		}
	}
	return checkControl(c)
}

func (r ResendRequest) check(c *Content) error {
	if !isMessageID(r.Message) {
		return ErrMessageID
	}
	return checkControl(c)
}

func (r Resent) check(c *Content) error {
	if !isMessageID(r.Message) {
		return ErrMessageID
	}
	if err := checkControl(c); err != nil {
		return err
	}
	return checkText(r.Text)
}

func checkControl(c *Content) error {
	if c.Conversation != ControlConversationID(c.SenderUser, c.RecipientUser) {
		return ErrConversation
	}
	return nil
}

func parseReceipt(b []byte) (Body, error) {
	if len(b) < 2 || len(b) != 2+16*int(b[1]) {
		return nil, ErrContent
	}
	r := Receipt{Type: ReceiptType(b[0])}
	for rest := b[2:]; len(rest) > 0; rest = rest[16:] {
		r.Messages = append(r.Messages, [16]byte(rest))
	}
	return r, nil
}

func parseResendRequest(b []byte) (Body, error) {
	if len(b) != 16 {
		return nil, ErrContent
	}
	return ResendRequest{[16]byte(b)}, nil
}

func parseResent(b []byte) (Body, error) {
	if len(b) < 16 {
		return nil, ErrContent
	}
	return Resent{[16]byte(b[:16]), string(b[16:])}, nil
}

package cryptobox

import (
	"unicode/utf8"

	"github.com/letterlock/letterlock/identity"
)

// MaxTextSize is the length of the longest text, in bytes.
const MaxTextSize = 60_000

const (
	bodyText byte = 1
	bodyCopy byte = 2
)

// Body is what content says: Text, Copy, Receipt, ResendRequest, Resent or Unknown.
type Body interface {
	// Control reports whether the body belongs to the control conversation (ControlConversationID).
	Control() bool
	// check refuses what has no encoding in this content.
	check(*Content) error
	kind() byte
	append([]byte) []byte
}

// Text is a text message of 1 to MaxTextSize bytes of UTF-8.
type Text struct{ Text string }

// Copy is what one's own other devices get of a text message.
type Copy struct {
	Recipient identity.UserID // to whom the message went
	Text      string
}

// Unknown is a body that needs a newer client; it is kept and shown as such (C1.4).
type Unknown struct {
	Type byte
	Data []byte
}

func (Text) kind() byte               { return bodyText }
func (t Text) append(b []byte) []byte { return append(b, t.Text...) }
func (t Text) check(c *Content) error {
	if c.Conversation != ConversationID(c.SenderUser, c.RecipientUser) {
		return ErrConversation
	}
	return checkText(t.Text)
}

func (Copy) kind() byte { return bodyCopy }

func (c Copy) append(b []byte) []byte { return append(append(b, c.Recipient[:]...), c.Text...) }

// check is C1.3 and, for copies, the conversation of C1.1.
func (c Copy) check(content *Content) error {
	if content.SenderUser != content.RecipientUser {
		return ErrCopy
	}
	if content.Conversation != ConversationID(content.SenderUser, c.Recipient) {
		return ErrConversation
	}
	return checkText(c.Text)
}

func (u Unknown) kind() byte             { return u.Type }
func (u Unknown) append(b []byte) []byte { return append(b, u.Data...) }

// check makes sure that what is known has one form only (N1).
func (u Unknown) check(*Content) error {
	if u.Type >= bodyText && u.Type <= bodyResent {
		return ErrContent
	}
	return nil
}

func checkText(text string) error {
	if len(text) < 1 || len(text) > MaxTextSize || !utf8.ValidString(text) {
		return ErrText
	}
	return nil
}

// parseBody does not check what it reads; Content.check does.
func parseBody(kind byte, b []byte) (Body, error) {
	switch kind {
	case bodyText:
		return Text{string(b)}, nil
	case bodyCopy:
		if len(b) < len(identity.UserID{}) {
			return nil, ErrContent
		}
		return Copy{identity.UserID(b[:20]), string(b[20:])}, nil
	case bodyReceipt:
		return parseReceipt(b)
	case bodyResendRequest:
		return parseResendRequest(b)
	case bodyResent:
		return parseResent(b)
	default:
		return Unknown{kind, append([]byte(nil), b...)}, nil
	}
}

package device

import (
	"io"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// Host is what a step is given. Make a new one for every step.
type Host struct {
	Records Records
	Now     time.Time // UTC; a wrong clock spoils what is shown, never what is kept
	Rand    io.Reader // cryptographically secure
	// Server is the origin of the server that the step talks with (identity.Origin).
	Server string
}

// Step is what a step gives back: first Writes, durably and all or nothing; then the rest.
type Step struct {
	Writes   []Write
	Requests []Request
	// Notices are what this step has to show. They lie among the records, too, until HandedOver.
	Notices []Notice
}

// Request is something to ask of the server: *[Register], *[FetchUser], *[SendMessage] or *[Acknowledge].
type Request interface{ request() }

// Register asks for registerKey, with a token of this device. Feed success into [Host.Registered].
type Register struct {
	UserKey    []byte
	DeviceList []byte
}

// FetchUser asks for the chain of a user: user(id, sinceVersion). Feed the answer into [Host.Fetched].
type FetchUser struct {
	User  identity.UserID
	Since uint32 // 0: the whole chain
}

// SendMessage asks for sendMessage with exactly these bytes. Feed the answer into [Host.Accepted] or [Host.Declined];
// without an answer, [Host.NextSend] gives the same bytes again.
type SendMessage struct {
	MessageID  MessageID
	Recipients []Recipient

	To      identity.UserID // whose outbox it stands in
	Number  uint64          // its number there
	Sealed  uint64          // how often the message has been sealed
	History uint64          // its number in the history
}

// Recipient is one user a message goes to.
type Recipient struct {
	User        identity.UserID
	ListVersion uint32
	Envelopes   []SealedEnvelope
}

// SealedEnvelope is a BOX for one device.
type SealedEnvelope struct {
	Device     identity.DeviceID
	Nonce      []byte
	Ciphertext []byte
}

// Acknowledge asks for acknowledgeMessages. It may be dropped for a later one.
type Acknowledge struct{ Cursor string }

func (*Register) request()    {}
func (*FetchUser) request()   {}
func (*SendMessage) request() {}
func (*Acknowledge) request() {}

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
	// Chains spares steps the verification of what an earlier one has verified; nil spares nothing.
	Chains *ChainCache
}

// Step is what a step gives back: first Writes, durably and all or nothing; then the rest.
type Step struct {
	Writes   []Write
	Requests []Request
	// Queued says that something was put into an outbox: NextSend has something to do.
	Queued bool
	// Notices are what this step has to show. They lie among the records, too, until HandedOver.
	Notices []Notice
}

// Request is something to ask of the server: *[Register], *[FetchUser], *[ClaimPrekeys], *[UploadPrekeys], *[SendMessage],
// *[Acknowledge], *[PublishList], *[PutLink],
// *[SetBlocked] or *[DeleteUser].
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

// ClaimPrekeys asks for prekeys of these devices of a user. Feed the answer into [Host.Claimed], then call NextSend again
// with the user among those who were asked for.
type ClaimPrekeys struct {
	User    identity.UserID
	Devices []identity.DeviceID
}

// UploadPrekeys asks for uploadPrekeys. Without an answer nothing is lost: [Host.Prekeys] finds what the server lacks.
type UploadPrekeys struct {
	Signed, KEMLastResort []byte // nil: as before
	OneTime, KEMOneTime   [][]byte
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

// SealedEnvelope is an envelope for one device.
type SealedEnvelope struct {
	Device     identity.DeviceID
	Kind       Kind   // of records of the first release: empty, for BOX
	Nonce      []byte `json:",omitempty"` // of a BOX
	Ciphertext []byte
}

// Acknowledge asks for acknowledgeMessages. It may be dropped for a later one.
type Acknowledge struct{ Cursor string }

func (*Register) request()      {}
func (*FetchUser) request()     {}
func (*ClaimPrekeys) request()  {}
func (*UploadPrekeys) request() {}
func (*SendMessage) request()   {}
func (*Acknowledge) request()   {}

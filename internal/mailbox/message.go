package mailbox

import (
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/identity"
)

// Kind is how an envelope is sealed. The values are stored.
type Kind int8

// The kinds. A Box carries a 24-byte nonce, the others none.
const (
	Box          Kind = 1
	Session      Kind = 2
	SessionStart Kind = 3
)

// nonceLength is the length of a Box's nonce in bytes.
const nonceLength = 24

// Message is one envelope in one mailbox. Its byte slices are shared: nobody changes them.
type Message struct {
	// ID is unique in this store and never used again: mailbox id × 2^32 + Number.
	ID int64
	// Number is the position in the mailbox, from 1.
	Number int64
	// Cursor is the same position for clients.
	Cursor Cursor
	// MessageID is the sender's name for the message; with SenderDevice, what doubles are recognised by.
	MessageID    uuid.UUID
	SenderUser   identity.UserID
	SenderDevice identity.DeviceID
	// SenderListVersion is the version of the sender's list when the message was accepted.
	SenderListVersion uint32
	// SentAt is when the message was accepted, in whole microseconds.
	SentAt time.Time
	// ExpiresAt is when it is no longer delivered.
	ExpiresAt  time.Time
	Kind       Kind
	Ciphertext []byte
	// Nonce has 24 bytes for a Box and is nil otherwise.
	Nonce []byte
}

// Envelope is one ciphertext for one device.
type Envelope struct {
	Device     identity.DeviceID
	Kind       Kind
	Ciphertext []byte
	Nonce      []byte
}

// Recipient is one user that a message goes to, with the version of the device list that the envelopes were sealed for.
type Recipient struct {
	User        identity.UserID
	ListVersion uint32
	Envelopes   []Envelope
}

// Send is one message of one device, sealed for every device it goes to. Whoever called Service.Send leaves its byte
// slices as they are from then on: a send goes on after its caller has gone.
type Send struct {
	// MessageID is a UUIDv7 made at the first try.
	MessageID    uuid.UUID
	SenderUser   identity.UserID
	SenderDevice identity.DeviceID
	// ExpiresIn is how long the message may wait; 0, and more than Limits.MessageLifetime, mean that lifetime.
	ExpiresIn  time.Duration
	Recipients []Recipient
}

// Call is several messages of one device that are sent at once: all or none of them.
type Call struct {
	// CallID is a UUIDv7 made at the first try. It shares its names with MessageIDs.
	CallID       uuid.UUID
	SenderUser   identity.UserID
	SenderDevice identity.DeviceID
	// Messages have a MessageID each, none twice.
	Messages []Outgoing
}

// Outgoing is one message of a Call. Its fields are as those of a Send.
type Outgoing struct {
	MessageID  uuid.UUID
	ExpiresIn  time.Duration
	Recipients []Recipient
}

// Receipt says that a message is committed.
type Receipt struct {
	MessageID uuid.UUID
	// AcceptedAt is when it was first accepted; a repeated send has the same.
	AcceptedAt time.Time
	// Deliveries are in the order of the send's envelopes.
	Deliveries []Delivery
}

// Delivery is what became of one envelope.
type Delivery struct {
	Device identity.DeviceID
	// Stored is false if the mailbox was full, in all or for this sender.
	Stored bool
}

// Acknowledgement says what an acknowledgement did.
type Acknowledgement struct {
	// UpTo is the position up to which the mailbox is now acknowledged.
	UpTo Cursor
	// Removed counts the messages that this call deleted.
	Removed int
}

// Page is a part of a mailbox, in order.
type Page struct {
	Messages []Message
	// HasNext is true if more messages wait behind the page.
	HasNext bool
	// ExpiredCount counts the messages of this mailbox that expired, ever.
	ExpiredCount int64
}

// Status is how a device's mailbox stands.
type Status struct {
	User        identity.UserID
	ListVersion uint32
	// Closed is true once the device was removed from its user's list.
	Closed bool
	// Accepted counts the envelopes that the device has sent and the server has stored, ever (delivery contract 1).
	Accepted int64
	// Expired counts the messages that expired in the mailbox, ever.
	Expired int64
	// Waiting and WaitingBytes count what waits, in messages and bytes of ciphertext.
	Waiting, WaitingBytes int64
}

package device

import (
	"time"

	"github.com/letterlock/letterlock/identity"
)

// Message is one message of a conversation, as the history holds it.
type Message struct {
	// Number is its position in the conversation's history, from 1.
	Number uint64
	ID     MessageID
	// Peer is the user the conversation is with.
	Peer identity.UserID
	// Sender and Device are who wrote it, verified by opening the envelope.
	Sender identity.UserID
	Device identity.DeviceID
	Text   string
	// Unsupported is set for what only a newer client can show (C1.4). Text is empty then.
	Unsupported bool
	// SentAt is the sender's clock's word. ReceivedAt is this device's: when it received the message, or took it to send.
	SentAt, ReceivedAt time.Time
	// Counter counts the messages of the sending device in this conversation. It is 0 for what was not sealed yet.
	Counter uint64
	// Missing is how many messages of the sending device just before this one have not come (C1.2). They are lost, or late.
	Missing uint64 `json:",omitempty"`
	Marks   []Mark `json:",omitempty"`
	State   State
	// Failure says why State is Failed.
	Failure FailureReason `json:",omitempty"`
	// DeliveredAt and ReadAt are when receipts came for a message that was sent (by this device's clock); zero for none.
	DeliveredAt time.Time `json:",omitzero"`
	ReadAt      time.Time `json:",omitzero"`
	// Addressed are the recipient's devices that it was sealed for, as long as it may be asked for again (R6).
	Addressed []identity.DeviceID `json:",omitempty"`
	// Resends is the message of the same sender, lost before, that this one repeats.
	Resends MessageID `json:",omitzero"`
	// Raw is the opened content of an Unsupported message, kept for a newer client.
	Raw []byte `json:",omitempty"`
}

// Outgoing reports whether the message is one's own, sent from this device or from another one.
func (m *Message) Outgoing() bool { return m.State != Received }

// State says what became of a message.
type State string

// The states of a message.
const (
	Received State = "received"
	Queued   State = "queued" // kept here; the server has not confirmed it
	Sent     State = "sent"   // on the server's disk, or further
	Failed   State = "failed" // will not be tried again
)

// Mark is something about a message that its reader should see.
type Mark string

// The marks.
const (
	// OutdatedList: the sender sealed it for an older list of one's devices (C2.2).
	OutdatedList Mark = "outdated-list"
	// RemovedDevice: the sender's list no longer names the device that sent it (C4).
	RemovedDevice Mark = "removed-device"
	// SentAgain: it did not open when it first came, and was asked for again (R6).
	SentAgain Mark = "sent-again"
	// NewDevice: the first message from a device that its user has added since the two began to write.
	NewDevice Mark = "new-device"
	// Late: it fills a gap that was shown before.
	Late Mark = "late"
	// RepeatedCounter: the sending device has counted two messages alike. It may have been restored from a backup.
	RepeatedCounter Mark = "repeated-counter"
	// PartlyDelivered: some of the recipient's devices did not get it: their mailboxes were full, or there were no prekeys to
	// start a session with.
	PartlyDelivered Mark = "partly-delivered"
)

// FailureReason says why a message could not be sent.
type FailureReason string

// The reasons.
const (
	// RecipientUnknown: the server knows no such user.
	RecipientUnknown FailureReason = "recipient-unknown"
	// RecipientNeedsSession: a device of the recipient takes no boxes, or must not be sent any (B3).
	RecipientNeedsSession FailureReason = "recipient-needs-session"
	// OwnDeviceNeedsSession is the same for one's own other device, or this one has no box key (B1).
	OwnDeviceNeedsSession FailureReason = "own-device-needs-session"
	// RecipientNeedsBox: a device of the recipient takes boxes alone, and this one has no box key (B1).
	RecipientNeedsBox FailureReason = "recipient-needs-box"
	// PrekeysMissing: the server has no prekeys for any of the recipient's devices; they come when one of them is next online (B3).
	PrekeysMissing FailureReason = "prekeys-missing"
	// PrekeysRefused: the server shows prekeys of the recipient's that were refused; an alarm says more.
	PrekeysRefused FailureReason = "prekeys-refused"
	// ListRefused: the recipient's device list was refused; an alarm says more.
	ListRefused FailureReason = "list-refused"
	// MailboxFull: the mailboxes of all the recipient's devices are full.
	MailboxFull FailureReason = "mailbox-full"
	// InDoubt: it was tried, the answer was lost, and the server no longer remembers.
	InDoubt FailureReason = "in-doubt"
	// Declined: the server refuses it for good.
	Declined FailureReason = "declined"
)

// Refusal is an envelope that was not accepted. It is shown, kept, and acknowledged.
type Refusal struct {
	Number uint64
	Reason RefusalReason
	// Envelope, MessageID, Sender and Device are what the server said; nothing of it is verified.
	Envelope, MessageID, Sender, Device string
	At                                  time.Time
}

// RefusalReason says why an envelope was refused.
type RefusalReason string

// The reasons.
const (
	// Malformed: it has ids, a nonce or a length that no envelope has.
	Malformed RefusalReason = "malformed"
	// UnknownSender: the server knows no such user as it names as the sender.
	UnknownSender RefusalReason = "unknown-sender"
	// UnknownDevice: no list of the sender names the device.
	UnknownDevice RefusalReason = "unknown-device"
	// SenderListRefused: the sender's device list was refused; an alarm says more.
	SenderListRefused RefusalReason = "sender-list-refused"
	// DeviceRemovedLongAgo: the device was removed more than 30 days ago (C4).
	DeviceRemovedLongAgo RefusalReason = "device-removed"
	// NeedsSession: it is of a session, and this device takes boxes alone; or of a kind that needs a newer client.
	NeedsSession RefusalReason = "needs-session"
	// NoSession: no session is held with the device that sent it.
	NoSession RefusalReason = "no-session"
	// KeyUsed: its key was used before, or was dropped long ago (R4).
	KeyUsed RefusalReason = "key-used"
	// TooFarAhead: more than 1,000 messages before it are missing (R4).
	TooFarAhead RefusalReason = "too-far-ahead"
	// PrekeyGone: it starts a session on a prekey that was used or dropped (R2).
	PrekeyGone RefusalReason = "prekey-gone"
	// Replayed: it starts a session that was started before (R2).
	Replayed RefusalReason = "replayed"
	// RemovedDeviceStarts: a device that its user has removed wants to start a session (C4).
	RemovedDeviceStarts RefusalReason = "removed-device-starts"
	// NewerVersion: it is of a version of the session protocol that needs a newer client.
	NewerVersion RefusalReason = "newer-version"
	// Downgrade: it is a box, and this device takes sessions (B3).
	Downgrade RefusalReason = "downgrade"
	// NoBoxKey: the sender's device has no box key on its list (B1).
	NoBoxKey RefusalReason = "no-box-key"
	// Reflected: it claims to come from this very device (B2.1).
	Reflected RefusalReason = "reflected"
	// Forged: it does not open with the keys of who is said to have sent it.
	Forged RefusalReason = "forged"
	// ContentMalformed: it opens, but the sender sealed something that is not content (C, C3.1).
	ContentMalformed RefusalReason = "content-malformed"
	// OtherContext: it was sealed for another message id, sender, recipient, conversation or list (C1.1, C1.3).
	OtherContext RefusalReason = "other-context"
	// ListWithheld: it names a newer device list than the server shows (C2.1).
	ListWithheld RefusalReason = "list-withheld"
)

// Alarm says that what the server shows of a user's devices can't be true, and that what was held before stays in force; or
// that a name stands for another user (ContactChanged).
type Alarm struct {
	User   identity.UserID
	Reason AlarmReason
	// Version is the one held when it was raised.
	Version uint32
	// Evidence is the statement that was refused, or the hash that a sealed message named; empty if there is none.
	Evidence []byte `json:",omitempty"`
	At       time.Time
	// Name is the contact's name of a ContactChanged, Former the user whom it stood for before.
	Name   string          `json:",omitempty"`
	Former identity.UserID `json:",omitzero"`
}

// AlarmReason says what an alarm is about.
type AlarmReason string

// The reasons.
const (
	// Equivocation: there are two different lists with one version (S3.4). Who signs two holds the user key.
	Equivocation AlarmReason = "equivocation"
	// OtherList: a message that its sender's device has sealed names another list than the one that is held under that
	// version (C1.1). There are two, or the sender's client is at fault.
	OtherList AlarmReason = "other-list"
	// Rollback: the server shows an older list than it has shown before, or none (S3.5).
	Rollback AlarmReason = "rollback"
	// ForgedPrekey: a prekey that its device has not signed (R2).
	ForgedPrekey AlarmReason = "forged-prekey"
	// StalePrekey: a prekey older than one that was shown before, or a one-time key shown twice (R2).
	StalePrekey AlarmReason = "stale-prekey"
	// ForgedList: a list that its user has not signed, or must not sign (S2 to S4).
	ForgedList AlarmReason = "forged-list"
	// ContactChanged: a contact's name has come to stand for this user; it stood for another one before (F7).
	ContactChanged AlarmReason = "contact-changed"
)

// Notice is something to show: exactly one of Message, Refusal and Alarm is set. A Message is one that came in, or
// one's own that Failed.
type Notice struct {
	Number  uint64
	Message *Message `json:",omitempty"`
	Refusal *Refusal `json:",omitempty"`
	Alarm   *Alarm   `json:",omitempty"`
	// Cursor is the position in the mailbox to acknowledge once it is handed over; empty if it came another way.
	Cursor string `json:",omitempty"`
}

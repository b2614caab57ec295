package client

import (
	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

// The words of messages, as package device defines them.
type (
	// Message is one message of a conversation: who wrote it, its text, when, and what a reader should know about it.
	Message = device.Message
	// MessageID is the UUIDv7 that names a message.
	MessageID = device.MessageID
	// State says what became of a message: Received, Queued, Sent or Failed.
	State = device.State
	// Mark is something about a message that its reader should see; see ExplainMark.
	Mark = device.Mark
	// FailureReason says why a message was not sent; see Explain.
	FailureReason = device.FailureReason
	// Notice is what a Handler gets: a Message that came in (or one's own that has failed), a Refusal, or an Alarm.
	Notice = device.Notice
	// Refusal is an envelope that was not accepted; see ExplainRefusal.
	Refusal = device.Refusal
	// Alarm says that the server shows something of a user's devices that can't be true, or that a contact's name stands for
	// another user than before; see ExplainAlarm.
	Alarm = device.Alarm
	// Contact is a local name for a user.
	Contact = device.Contact
	// Blocked is a user from whom this device takes nothing, and since when.
	Blocked = device.Blocked
	// Trust is what is known of a user besides what they have signed: verified, and what waits to be accepted.
	Trust = device.Trust
	// ContactChange tells that a name has come to stand for another user.
	ContactChange = device.ContactChange
	// SafetyNumber says which two user keys a conversation stands on, to be compared with what the other one sees.
	SafetyNumber = cryptobox.SafetyNumber
	// Device is a device of one's own user, as Devices gives it.
	Device = device.Entry
	// UserID names a user: who has the right one can check everything below it.
	UserID = identity.UserID
	// DeviceID names one device of a user.
	DeviceID = identity.DeviceID
)

// The states of a message.
const (
	Received = device.Received
	Queued   = device.Queued
	Sent     = device.Sent
	Failed   = device.Failed
)

// ContactChanged is the reason of an alarm about a contact's name; the other reasons are about device lists.
const ContactChanged = device.ContactChanged

// ParseUserID reads a user id: "u" and 32 characters.
func ParseUserID(text string) (UserID, error) { return identity.ParseUserID(text) }

// Explain says in plain words why a message was not sent.
func Explain(reason FailureReason) string {
	switch reason {
	case device.RecipientUnknown:
		return "the server knows no user with this id; have they registered here?"
	case device.RecipientNeedsSession:
		return "a device of the recipient takes sessions alone, and this device was made for boxes; letter upgrade, or Client.TakeSessions, changes that (B3)"
	case device.OwnDeviceNeedsSession:
		return "one of your own devices does not take what this one can seal (B1, B3)"
	case device.RecipientNeedsBox:
		return "a device of the recipient takes boxes alone, and this device has made no box key (B1)"
	case device.PrekeysMissing:
		return "the server has no keys to start a session with the recipient; send it again once they have been online (B3)"
	case device.PrekeysRefused:
		return "the server shows keys of the recipient that were refused; the alarm says why"
	case device.ListRefused:
		return "the server shows a device list of the recipient that was refused; the alarm says why"
	case device.MailboxFull:
		return "the recipient's mailbox is full; send it again later"
	case device.InDoubt:
		return "the answer to an earlier try was lost long ago; it may have arrived or not"
	case device.Declined:
		return "the server refused it for good"
	default:
		return string(reason)
	}
}

// ExplainMark says in plain words what a mark means.
func ExplainMark(mark Mark) string {
	switch mark {
	case device.OutdatedList:
		return "sealed for an older list of your devices"
	case device.RemovedDevice:
		return "from a device that its user has removed"
	case device.NewDevice:
		return "from a device that they have added"
	case device.Late:
		return "came late"
	case device.RepeatedCounter:
		return "counted like an earlier message; the sender's device may have been restored from a backup"
	case device.PartlyDelivered:
		return "some of the recipient's devices did not get it"
	case device.SentAgain:
		return "could not be opened at first, and was sent again"
	default:
		return string(mark)
	}
}

// ExplainRefusal says in plain words why an envelope was refused.
func ExplainRefusal(reason device.RefusalReason) string {
	switch reason {
	case device.Malformed:
		return "it is not an envelope"
	case device.UnknownSender:
		return "the server knows no such sender"
	case device.UnknownDevice:
		return "its sender has no such device"
	case device.SenderListRefused:
		return "the server shows a device list of its sender that was refused"
	case device.DeviceRemovedLongAgo:
		return "its sender has removed the device long ago"
	case device.NeedsSession:
		return "it is of a session, and this device was made for boxes"
	case device.NewerVersion:
		return "it needs a newer client"
	case device.NoSession:
		return "no session is held with the device that sent it"
	case device.KeyUsed:
		return "its key was used before; it is a repeat, or came far too late"
	case device.TooFarAhead:
		return "more than a thousand messages before it are missing"
	case device.PrekeyGone:
		return "it starts a session on a key that was used or dropped"
	case device.Replayed:
		return "it starts a session that was started before"
	case device.RemovedDeviceStarts:
		return "a device that its user has removed wants to start a session"
	case device.Downgrade:
		return "it is a box, and this device takes sessions"
	case device.NoBoxKey:
		return "its sender's device has no box key"
	case device.Reflected:
		return "it claims to come from this very device"
	case device.Forged:
		return "it was not sealed by the one who is said to have sent it, or was changed"
	case device.ContentMalformed:
		return "its sender has sealed something that is no message"
	case device.OtherContext:
		return "it was sealed for another place than the one in which it came"
	case device.ListWithheld:
		return "the server withholds the device list that it was sealed with"
	default:
		return string(reason)
	}
}

// ExplainAlarm says in plain words what an alarm is about.
func ExplainAlarm(reason device.AlarmReason) string {
	switch reason {
	case device.Equivocation:
		return "there are two different device lists with one version; somebody else may hold this user's key"
	case device.OtherList:
		return "a message names another device list than the one that the server has shown"
	case device.Rollback:
		return "the server shows an older device list than before, or none at all"
	case device.ForgedPrekey:
		return "the server shows a key to start a session with that the device has not signed"
	case device.StalePrekey:
		return "the server shows an old key to start a session with, or one a second time"
	case device.ForgedList:
		return "the server shows a device list that this user has not signed"
	case device.ContactChanged:
		return "a contact's name stands for this user now; it stood for another one before"
	default:
		return string(reason)
	}
}

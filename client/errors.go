package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/client/internal/store"
	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/device"
)

// Errors about the home directory.
var (
	// ErrNoHome: there are no keys in this home yet; see Init.
	ErrNoHome = errors.New("there are no keys in this home yet")
	// ErrHasKeys: Init found keys of another time; they stay as they are. See Open.
	ErrHasKeys = errors.New("this home has keys already")
	// ErrPassphraseNeeded: the home is locked with a passphrase, and Options.Passphrase gave none.
	ErrPassphraseNeeded = store.ErrPassphraseNeeded
	// ErrPassphrase: the passphrase is wrong. Nothing was changed.
	ErrPassphrase = store.ErrPassphrase
	// ErrNoPassphrase: a passphrase was to lock a home whose key file has none. Nothing was changed.
	ErrNoPassphrase = store.ErrNoPassphrase
	// ErrExposed: others may read the key file. The error tells what to do.
	ErrExposed = store.ErrExposed
	// ErrNewerStore: a newer release has written the home.
	ErrNewerStore = store.ErrNewer
	// ErrKeyFile: the key file can't be read as one.
	ErrKeyFile = store.ErrKeyFile
	// ErrOtherKey: the key file is not the one that the home was made with, or is missing while the rest is there.
	ErrOtherKey = store.ErrOtherKey
	// ErrDamaged: a record of the home does not open. The disk, or somebody, has changed it.
	ErrDamaged = store.ErrDamaged
	// ErrListening: another Listen or Inbox, of this process or another one, is receiving for this home.
	ErrListening = errors.New("another letter is receiving for this home already")
)

// Errors about what was asked for.
var (
	ErrTextEmpty      = device.ErrTextEmpty
	ErrTextTooLong    = device.ErrTextTooLong
	ErrTextNotUTF8    = device.ErrTextNotUTF8
	ErrToSelf         = device.ErrToSelf
	ErrOutboxFull     = device.ErrOutboxFull
	ErrContactName    = device.ErrContactName
	ErrContactTaken   = device.ErrContactTaken
	ErrContactUnknown = device.ErrContactUnknown
	ErrContactsFull   = device.ErrContactsFull
	ErrBlocked        = device.ErrBlocked
	ErrBlockSelf      = device.ErrBlockSelf
	ErrBlockedFull    = device.ErrBlockedFull
	ErrContactChanged = device.ErrContactChanged
	ErrContactAlarm   = device.ErrContactAlarm
)

// Errors about safety numbers.
var (
	// ErrUserUnknown: the server knows no such user.
	ErrUserUnknown    = errors.New("the server knows no user with this id")
	ErrSafetyText     = cryptobox.ErrSafetyText
	ErrSafetyVersion  = cryptobox.ErrSafetyVersion
	ErrSafetyOwnCode  = cryptobox.ErrSafetyOwnCode
	ErrSafetyOthers   = cryptobox.ErrSafetyOthers
	ErrSafetyMismatch = cryptobox.ErrSafetyMismatch
)

// Errors about links, and one's own devices.
var (
	// ErrLinkCode: the text is not the code that a new device shows.
	ErrLinkCode = cryptobox.ErrLinkCode
	// ErrLinkDeclined: the user has said no. Nothing was changed.
	ErrLinkDeclined = device.ErrLinkDeclined
	// ErrLinkExpired: a link takes ten minutes at the most, and the other device did not answer.
	ErrLinkExpired = errors.New("no device answers under this code: it is good for ten minutes, on one server; start the link anew")
	// ErrLinkTaken: somebody else has written where this device was to write.
	ErrLinkTaken     = errors.New("somebody else has written into this link; start it anew")
	ErrLinkForged    = device.ErrLinkForged
	ErrLinkList      = device.ErrLinkList
	ErrLinkProtocols = device.ErrLinkProtocols
	ErrNoUserKey     = device.ErrNoUserKey
	ErrDeviceUnknown = device.ErrDeviceUnknown
	ErrRemoveSelf    = device.ErrRemoveSelf
)

// Errors about the server.
var (
	// ErrServerURL: Options.Server is not an http or https URL without a path.
	ErrServerURL = errors.New("the server must be an http:// or https:// URL without a path")
	// ErrSuperseded: a newer subscription of the same device has taken over; this Listen has ended.
	ErrSuperseded = errors.New("another listen of this device has taken over")
	// ErrDeviceRemoved: this device is no longer on its user's list.
	ErrDeviceRemoved = device.ErrRemoved
	// ErrInviteRequired: the server takes new users by invite, and Options.Invite has none, or one that is not good (any more).
	ErrInviteRequired = errors.New("the server takes new users by invite alone; its operator gives invites")
	// ErrRegistrationClosed: the server takes no new users.
	ErrRegistrationClosed = errors.New("the server takes no new users")
	// ErrClock: this device's clock is wrong by more than can be made up for. Correct it.
	ErrClock = errors.New("this device's clock is wrong; correct it and try again")
	// ErrResponse: the server answered with something that no Letterlock server answers. Is the URL right?
	ErrResponse = errors.New("the server's answer is not one of a Letterlock server")
	// ErrClosed: the client was closed.
	ErrClosed = errors.New("the client is closed")
)

// ServerError is an error that the server reports: the schema's ErrorCode and what it says about it.
type ServerError struct {
	// Code is one of the schema's ErrorCode.
	Code string
	// Message is the server's text for people, at most 500 bytes. It comes from the server: clean it before showing it on
	// a terminal.
	Message string
	// Stored is NO, YES or UNKNOWN.
	Stored string
	// RetryAfter is how long to wait before trying again; 0 if the server does not say.
	RetryAfter time.Duration

	serverTime time.Time
}

func (e *ServerError) Error() string { return fmt.Sprintf("the server says %s: %s", e.Code, e.Message) }

// Is makes what ends a device's access found by errors.Is.
func (e *ServerError) Is(target error) bool {
	switch e.Code {
	case "DEVICE_REMOVED":
		return target == ErrDeviceRemoved
	case "SUPERSEDED":
		return target == ErrSuperseded
	case "INVITE_REQUIRED":
		return target == ErrInviteRequired
	case "REGISTRATION_CLOSED":
		return target == ErrRegistrationClosed
	case "LINK_EXPIRED":
		return target == ErrLinkExpired
	case "LINK_TAKEN":
		return target == ErrLinkTaken
	}
	return false
}

// QueuedError says that a message is kept here, but the server has not confirmed it yet: it may or may not have it. The
// next Send, Flush, Inbox or Listen tries again; it is delivered once. Err says what was in the way.
type QueuedError struct {
	Message Message
	Err     error
}

func (e *QueuedError) Error() string { return "the message is queued, not sent yet: " + e.Err.Error() }

// Unwrap gives the reason.
func (e *QueuedError) Unwrap() error { return e.Err }

// GoString gives what Error says: %#v of an error in a log does not show the text.
func (e *QueuedError) GoString() string { return "&client.QueuedError(" + e.Error() + ")" }

// SendError says that a message was not sent and will not be tried again.
type SendError struct {
	Message Message
	Reason  FailureReason
	// Err is what the server said, if it was the one who refused.
	Err error
}

func (e *SendError) Error() string {
	if e.Err != nil && e.Reason == device.Declined {
		return "the message was not sent: " + e.Err.Error()
	}
	return "the message was not sent: " + Explain(e.Reason)
}

// Unwrap gives what the server said.
func (e *SendError) Unwrap() error { return e.Err }

// GoString gives what Error says: %#v of an error in a log does not show the text.
func (e *SendError) GoString() string { return "&client.SendError(" + e.Error() + ")" }

// AlarmError says that what the server shows of a user's devices was refused. The alarm is also handed to Listen's and
// Inbox's handler.
type AlarmError struct{ Alarm Alarm }

func (e *AlarmError) Error() string { return ExplainAlarm(e.Alarm.Reason) }

// codeOf gives the server's code in an error's chain, or "".
func codeOf(err error) string {
	var failure *ServerError
	if !ofHandler(err) && errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

// transient reports whether the same request may succeed later, as it stands.
func transient(err error) bool {
	var failure *ServerError
	switch {
	case err == nil || ofHandler(err) || errors.Is(err, ErrClosed) || errors.Is(err, ErrClock) || errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &failure):
		return failure.transient()
	}
	return unreachable(err)
}

func (e *ServerError) transient() bool {
	switch e.Code {
	case "OVERLOADED", "RATE_LIMITED", "STORE_UNAVAILABLE", "OUTCOME_UNKNOWN", "STOPPING", "INTERNAL":
		return true
	}
	return e.Stored == "UNKNOWN"
}

// unreachableError: no answer came, or one of something between here and the server.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return "the server can't be reached: " + e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

func unreachable(err error) bool {
	var u *unreachableError
	return errors.As(err, &u)
}

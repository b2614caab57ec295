package cryptobox

import "errors"

var (
	// ErrErased: the private key has been erased.
	ErrErased = errors.New("cryptobox: private key was erased")
	// ErrSeed: a private key's seed does not have its length: 32 bytes, of an ML-KEM key 64.
	ErrSeed = errors.New("cryptobox: seed has another length")
	// ErrSecret: something tried to encode a private key.
	ErrSecret = errors.New("cryptobox: a private key is not encoded by accident; see Seed")

	// ErrForged: the envelope was not made for this recipient by this sender, or was changed since.
	ErrForged = errors.New("cryptobox: envelope is forged or damaged (B1, R1)")
	// ErrBundle: prekeys are not those of the device that a session is started with, or not of their kinds.
	ErrBundle = errors.New("cryptobox: prekeys of another device or kind (R2)")
	// ErrSessionVersion: a session message has a version that needs a newer client.
	ErrSessionVersion = errors.New("cryptobox: session message is of a newer version (R1)")
	// ErrKeyUsed: the message's key was used before, or is no longer kept.
	ErrKeyUsed = errors.New("cryptobox: message key was used or is no longer kept (R4)")
	// ErrTooFarAhead: the message skips more than MaxSkip others.
	ErrTooFarAhead = errors.New("cryptobox: message is too far ahead (R4)")
	// ErrCannotSend: the session has not received a first message yet, or is used up.
	ErrCannotSend = errors.New("cryptobox: session cannot send")
	// ErrState: what was stored is no session.
	ErrState = errors.New("cryptobox: stored session is damaged")
	// ErrTooLong: the plaintext is longer than MaxContentSize.
	ErrTooLong = errors.New("cryptobox: content is too long (C3.1)")

	// ErrContent: what was opened is no content. The errors below are ErrContent as well, but for ErrContentVersion.
	ErrContent = errors.New("cryptobox: content is malformed (C1)")
	// ErrContentVersion: the content has a version that needs a newer client (C1.4).
	ErrContentVersion = errors.New("cryptobox: content is of a newer version (C1.4)")
	// ErrPadding: the padding is not zero or not of the one length.
	ErrPadding error = &contentError{"padding is wrong (C3.1)"}
	// ErrMessageID: the message id is no UUIDv7.
	ErrMessageID error = &contentError{"message id is no UUIDv7 (C1)"}
	// ErrConversation: the conversation is not that of the two users.
	ErrConversation error = &contentError{"conversation is another (C1.1)"}
	// ErrText: the text is empty, too long or not UTF-8.
	ErrText error = &contentError{"text is empty, too long or not UTF-8 (C)"}
	// ErrReceipt: a receipt of an unknown type, or of none or too many messages.
	ErrReceipt error = &contentError{"receipt is of an unknown type or size (C)"}
	// ErrCopy: a copy comes from, or goes to, another user.
	ErrCopy error = &contentError{"copy between different users (C1.3)"}

	// ErrMismatch: the content does not belong to the envelope that it came in.
	ErrMismatch error = &contentError{"content belongs to another envelope (C1.1)"}
	// ErrListHash: the content names a device list that is not on the chain that is held.
	ErrListHash error = &contentError{"content names an unknown device list (C1.1)"}
	// ErrListMissing: the content names a newer device list than is held; fetch the chain, then check again.
	ErrListMissing = errors.New("cryptobox: content names a newer device list (C2.1)")

	// ErrLink: a message of a link is malformed.
	ErrLink = errors.New("cryptobox: message of a link is malformed (L1)")
	// ErrLinkCode: a text is not the code that a new device shows. It is for people to read.
	ErrLinkCode = errors.New("this is not the code that a new device shows (L1.2)")

	// What is said of safety numbers is for people to read.

	// ErrSafetyText: what was compared is neither 60 digits nor a code.
	ErrSafetyText = errors.New("this is neither the 60 digits of a safety number nor its code (F4)")
	// ErrSafetyVersion: the code was made by a client that makes safety numbers in another way.
	ErrSafetyVersion = errors.New("this code is of another version of safety numbers (F3)")
	// ErrSafetyOwnCode: the code is the one that is shown here, not the peer's.
	ErrSafetyOwnCode = errors.New("this is the code that is shown here; take the other side's (F4)")
	// ErrSafetyOthers: neither key of the code is one of this conversation. It is of other people, or somebody stands between
	// these two and shows each of them a key of his own.
	ErrSafetyOthers = errors.New("this code is of other people, or somebody stands between you (F4)")
	// ErrSafetyMismatch: the two sides hold different keys. Somebody may stand between them, or pose as one of them.
	ErrSafetyMismatch = errors.New("the safety numbers differ (F4)")
)

// contentError is a kind of ErrContent.
type contentError struct{ text string }

func (e *contentError) Error() string { return "cryptobox: " + e.text }
func (e *contentError) Unwrap() error { return ErrContent }

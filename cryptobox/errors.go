package cryptobox

import "errors"

var (
	// ErrErased: the private key has been erased.
	ErrErased = errors.New("cryptobox: private key was erased")
	// ErrSeed: a private key's seed is not 32 bytes.
	ErrSeed = errors.New("cryptobox: seed is not 32 bytes")
	// ErrSecret: something tried to encode a private key.
	ErrSecret = errors.New("cryptobox: a private key is not encoded by accident; see Seed")

	// ErrForged: the box was not made for this recipient by this sender, or was changed since.
	ErrForged = errors.New("cryptobox: box is forged or damaged (B1)")
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
	// ErrCopy: a copy comes from, or goes to, another user.
	ErrCopy error = &contentError{"copy between different users (C1.3)"}

	// ErrMismatch: the content does not belong to the envelope that it came in.
	ErrMismatch error = &contentError{"content belongs to another envelope (C1.1)"}
	// ErrListHash: the content names a device list that is not on the chain that is held.
	ErrListHash error = &contentError{"content names an unknown device list (C1.1)"}
	// ErrListMissing: the content names a newer device list than is held; fetch the chain, then check again.
	ErrListMissing = errors.New("cryptobox: content names a newer device list (C2.1)")
)

// contentError is a kind of ErrContent.
type contentError struct{ text string }

func (e *contentError) Error() string { return "cryptobox: " + e.text }
func (e *contentError) Unwrap() error { return ErrContent }

package cryptobox

import "github.com/letterlock/letterlock/identity"

// Delivered is what an envelope was delivered under and opened with: the message id and sender that the server named,
// whose box key opened it, and the recipient that one is oneself.
type Delivered struct {
	MessageID       [16]byte
	SenderUser      identity.UserID
	SenderDevice    identity.DeviceID
	RecipientUser   identity.UserID
	RecipientDevice identity.DeviceID
}

// Check is C1.1 for the envelope: ErrMismatch unless the content says of itself what the outside says. A box of one's own
// that comes back fails here (B2.1).
func (c *Content) Check(outside Delivered) error {
	inside := Delivered{c.MessageID, c.SenderUser, c.SenderDevice, c.RecipientUser, c.RecipientDevice}
	if inside != outside || c.SenderDevice == c.RecipientDevice {
		return ErrMismatch
	}
	return nil
}

// CheckLists is C1.1 and C2.1 for the lists that the content names: ErrListMissing if a chain has to be fetched first,
// ErrListHash if a chain holds another list under that version, or is another user's. For C2.2 compare
// RecipientListVersion with the version that one had published oneself.
func (c *Content) CheckLists(sender, recipient *identity.Chain) error {
	if sender.User() != c.SenderUser || recipient.User() != c.RecipientUser {
		return ErrListHash
	}
	if err := checkList(sender, c.SenderListVersion, c.SenderListHash); err != nil {
		return err
	}
	return checkList(recipient, c.RecipientListVersion, c.RecipientListHash)
}

func checkList(chain *identity.Chain, version uint32, hash [32]byte) error {
	held, ok := chain.Hash(version)
	if !ok {
		return ErrListMissing
	}
	if held != hash {
		return ErrListHash
	}
	return nil
}

package device

import (
	"errors"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// ErrNoList: nothing is held of this user's device lists yet; see Fetched.
var ErrNoList = errors.New("nothing is known of this user yet")

// SafetyNumber gives the safety number of oneself and another user, over the keys of the verified chains (F5). It fails
// with ErrNoList or ErrToSelf.
func (h Host) SafetyNumber(user identity.UserID) (cryptobox.SafetyNumber, error) {
	own, peer, err := h.userKeys(user)
	if err != nil {
		return cryptobox.SafetyNumber{}, err
	}
	return cryptobox.NewSafetyNumber(own, peer), nil
}

func (h Host) userKeys(user identity.UserID) (own, peer identity.SigningPublicKey, err error) {
	self, err := h.Self()
	if err != nil {
		return own, peer, err
	}
	if user == self.User {
		return own, peer, ErrToSelf
	}
	if own, err = h.userKey(self.User); err != nil {
		return own, peer, err
	}
	peer, err = h.userKey(user)
	return own, peer, err
}

func (h Host) userKey(user identity.UserID) (identity.SigningPublicKey, error) {
	chain, err := h.chain(user)
	if err != nil {
		return identity.SigningPublicKey{}, err
	}
	head := chain.Head()
	if head == nil {
		return identity.SigningPublicKey{}, ErrNoList
	}
	return head.UserKey, nil
}

// Verify compares what the user shows, a code or 60 digits, with the safety number, and records that it is right (F4,
// F6). A change of a name to this user counts as accepted then (F7), an alarm does not (F8). It fails as SafetyNumber
// and [cryptobox.SafetyNumber.Compare] do; then nothing is recorded, and what was verified stays so.
func (h Host) Verify(user identity.UserID, shown string) (Step, error) {
	own, peer, err := h.userKeys(user)
	if err != nil {
		return Step{}, err
	}
	if err := cryptobox.NewSafetyNumber(own, peer).Compare(shown); err != nil {
		return Step{}, err
	}
	return h.amendTrust(user, func(record *trustRecord) error {
		record.Verified, record.UserKey, record.Changed = h.Now, peer[:], nil
		return nil
	})
}

// Unverify forgets that a user was verified. It changes nothing if they were not.
func (h Host) Unverify(user identity.UserID) (Step, error) {
	return h.amendTrust(user, func(record *trustRecord) error {
		record.Verified, record.UserKey = time.Time{}, nil
		return nil
	})
}

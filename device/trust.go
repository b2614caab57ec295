package device

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// Errors of Compose that stand until the user decides.
var (
	// ErrContactChanged: a contact's name has come to stand for this user id, and nobody has accepted that yet (F7).
	ErrContactChanged = errors.New("this contact's name stands for another user now; verify them or accept the change before you send")
	// ErrContactAlarm: there is an alarm about a user who was verified, and nobody has accepted it yet (F8).
	ErrContactAlarm = errors.New("there is an alarm about this verified user; accept it before you send")
)

// Trust is what is known of a user besides what they have signed.
type Trust struct {
	// Verified is when the safety number was compared; zero if it was not (F6).
	Verified time.Time
	// Changed is set while a change of a contact's name to this user waits to be accepted (F7).
	Changed *ContactChange
	// Blocked says that nothing is taken from the user, and nothing sent.
	Blocked bool
	// Alarm is the last alarm about this user's device lists, unless it was accepted (F8).
	Alarm *Alarm
}

// ContactChange tells that a name has come to stand for another user.
type ContactChange struct {
	Name   string
	Former identity.UserID
	At     time.Time
}

// MaySend gives the reason why nothing may be sent to the user: ErrBlocked, ErrContactChanged, ErrContactAlarm, or nil.
func (t Trust) MaySend() error {
	switch {
	case t.Blocked:
		return ErrBlocked
	case t.Changed != nil:
		return ErrContactChanged
	case t.Alarm != nil && !t.Verified.IsZero():
		return ErrContactAlarm
	default:
		return nil
	}
}

// trustRecord is the user's own word about another user. What it says of a verification holds for the key in it alone.
type trustRecord struct {
	Verified time.Time      `json:",omitzero"`
	UserKey  []byte         `json:",omitempty"`
	Changed  *ContactChange `json:",omitempty"`
	// Accepted is the hash of the alarm that was accepted.
	Accepted []byte `json:",omitempty"`
}

func trustKey(user identity.UserID) Key {
	return Key{Collection: collectionTrust, Owner: user.String()}
}

// verified reports whether the record verifies the user: the id is the hash of the key that was compared.
func (r *trustRecord) verified(user identity.UserID) bool {
	key, err := identity.ParseSigningPublicKey(r.UserKey)
	return err == nil && !r.Verified.IsZero() && identity.NewUserID(key) == user
}

// Trust tells what is known of a user.
func (h Host) Trust(user identity.UserID) (Trust, error) {
	var record trustRecord
	if _, err := h.read(trustKey(user), &record); err != nil {
		return Trust{}, err
	}
	blocked, err := h.IsBlocked(user)
	if err != nil {
		return Trust{}, err
	}
	trust := Trust{Changed: record.Changed, Blocked: blocked}
	if record.verified(user) {
		trust.Verified = record.Verified
	}
	alarm, err := h.LastAlarm(user)
	if err != nil || alarm == nil {
		return trust, err
	}
	hash, err := alarm.hash()
	if err != nil {
		return Trust{}, err
	}
	if !bytes.Equal(hash, record.Accepted) {
		trust.Alarm = alarm
	}
	return trust, nil
}

// MaySend gives the reason why nothing may be sent to a user, or nil; see Trust.
func (h Host) MaySend(user identity.UserID) error {
	trust, err := h.Trust(user)
	if err != nil {
		return err
	}
	return trust.MaySend()
}

// AcceptContact takes note of what stands in the way of sending to a user: a changed name (F7) and the last alarm (F8).
// It changes nothing if there is neither.
func (h Host) AcceptContact(user identity.UserID) (Step, error) {
	alarm, err := h.LastAlarm(user)
	if err != nil {
		return Step{}, err
	}
	return h.amendTrust(user, func(record *trustRecord) (err error) {
		record.Changed = nil
		if alarm != nil {
			record.Accepted, err = alarm.hash()
		}
		return err
	})
}

// amendTrust changes what is kept of a user.
func (h Host) amendTrust(user identity.UserID, change func(*trustRecord) error) (Step, error) {
	w := h.begin()
	return w.done(w.amendTrust(user, change))
}

func (w *work) amendTrust(user identity.UserID, change func(*trustRecord) error) error {
	var record trustRecord
	if _, err := w.get(trustKey(user), &record); err != nil {
		return err
	}
	if err := change(&record); err != nil {
		return err
	}
	if record.Verified.IsZero() && record.Changed == nil && record.Accepted == nil {
		w.delete(trustKey(user))
		return nil
	}
	return w.put(trustKey(user), record)
}

// hash tells one alarm from the next: the same lie, told again after another one, is a new alarm.
func (a *Alarm) hash() ([]byte, error) {
	raw, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(raw)
	return hash[:], nil
}

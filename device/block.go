package device

import (
	"errors"
	"slices"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// Errors about blocking.
var (
	// ErrBlocked: the user is blocked here; see Unblock.
	ErrBlocked = errors.New("this user is blocked; unblock them before you send")
	// ErrBlockSelf: one's own devices write to each other.
	ErrBlockSelf = errors.New("you can't block yourself")
	// ErrBlockedFull: there are 1,000.
	ErrBlockedFull = errors.New("1,000 users are blocked; unblock one first")
)

// maxBlocked is what a server takes by default.
const maxBlocked = 1000

// Blocked is a user from whom this device takes nothing.
type Blocked struct {
	User identity.UserID
	At   time.Time
}

// blockedRecord is the list of this device, oldest first. Version counts its changes, so that each server is told of the last one.
type blockedRecord struct {
	Users   []Blocked
	Version uint64
}

func (r *blockedRecord) index(user identity.UserID) int {
	return slices.IndexFunc(r.Users, func(b Blocked) bool { return b.User == user })
}

// SetBlocked asks for setBlockedUsers. Feed success into [Host.BlockedSet]; without an answer ask again.
type SetBlocked struct {
	Users   []identity.UserID
	Version uint64
}

func (*SetBlocked) request() {}

// Block takes nothing from a user any more: what comes in their name is dropped unopened, nothing is sent to them, and the server is to
// drop it as well (BlocksToSet). They are not told. What was said stays. Doing so again changes nothing. It fails with
// ErrBlockSelf or ErrBlockedFull.
func (h Host) Block(user identity.UserID) (Step, error) {
	self, err := h.Self()
	if err != nil {
		return Step{}, err
	}
	if user == self.User {
		return Step{}, ErrBlockSelf
	}
	return h.changeBlocked(func(record *blockedRecord) (bool, error) {
		if record.index(user) >= 0 {
			return false, nil
		}
		if len(record.Users) >= maxBlocked {
			return false, ErrBlockedFull
		}
		record.Users = append(record.Users, Blocked{User: user, At: h.Now})
		return true, nil
	})
}

// Unblock takes messages from a user again; what they sent meanwhile is lost. It changes nothing if they are not blocked.
func (h Host) Unblock(user identity.UserID) (Step, error) {
	return h.changeBlocked(func(record *blockedRecord) (bool, error) {
		i := record.index(user)
		if i < 0 {
			return false, nil
		}
		record.Users = slices.Delete(record.Users, i, i+1)
		return true, nil
	})
}

func (h Host) changeBlocked(change func(*blockedRecord) (changed bool, err error)) (Step, error) {
	record, err := h.blocked()
	if err != nil {
		return Step{}, err
	}
	changed, err := change(&record)
	if err != nil || !changed {
		return Step{}, err
	}
	record.Version++
	w := h.begin()
	return w.done(w.put(Key{Collection: collectionBlocked}, record))
}

// Blocked gives the users who are blocked, and since when, oldest first.
func (h Host) Blocked() ([]Blocked, error) {
	record, err := h.blocked()
	return record.Users, err
}

// IsBlocked reports whether a user is blocked.
func (h Host) IsBlocked(user identity.UserID) (bool, error) {
	record, err := h.blocked()
	return record.index(user) >= 0, err
}

func (h Host) blocked() (record blockedRecord, err error) {
	_, err = h.read(Key{Collection: collectionBlocked}, &record)
	return record, err
}

// BlocksToSet gives what the host's server has to be told, or nil if it knows.
func (h Host) BlocksToSet() (*SetBlocked, error) {
	record, err := h.blocked()
	if err != nil {
		return nil, err
	}
	var server serverRecord
	if _, err := h.read(h.serverKey(), &server); err != nil || server.Blocked == record.Version {
		return nil, err
	}
	request := &SetBlocked{Version: record.Version, Users: make([]identity.UserID, len(record.Users))}
	for i, blocked := range record.Users {
		request.Users[i] = blocked.User
	}
	return request, nil
}

// BlockedSet records that the host's server has taken the list.
func (h Host) BlockedSet(version uint64) (Step, error) {
	w := h.begin()
	var server serverRecord
	if _, err := w.get(w.serverKey(), &server); err != nil {
		return Step{}, err
	}
	server.Blocked = version
	return w.done(w.put(w.serverKey(), server))
}

// fromBlocked reports whether an envelope is said to come from a user who is blocked. The server may say so of any: it can withhold what it
// likes, and need not lie for that.
func (w *work) fromBlocked(envelope Envelope) (bool, error) {
	user, err := identity.ParseUserID(envelope.SenderUser)
	if err != nil {
		return false, nil //nolint:nilerr // it is refused further on
	}
	return w.IsBlocked(user)
}

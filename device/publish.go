package device

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// Errors about one's own device list.
var (
	// ErrNoUserKey: this device was linked without the user key, and can't change the list (S5).
	ErrNoUserKey = errors.New("this device can't change the list of your devices: only those can that hold the user key (S5)")
	// ErrRemoved: the newest list does not name this device.
	ErrRemoved = errors.New("this device was removed from its user's device list")
	// ErrDeviceUnknown: no such device is on the list.
	ErrDeviceUnknown = errors.New("no device of yours has this id")
	// ErrRemoveSelf: a device stays on the lists that it publishes (S6.6).
	ErrRemoveSelf = errors.New("a device can't remove itself; do it on another one (S6.6)")
)

// PublishList asks for publishDeviceList, with a token of this device. After success or LIST_CONFLICT fetch one's own chain
// and feed it into [Host.Fetched]; after the latter call again what gave the request.
type PublishList struct{ Statement []byte }

func (*PublishList) request() {}

// Entry is a device of one's own user.
type Entry struct {
	Device    identity.DeviceID
	This      bool
	CreatedAt time.Time
	Protocols identity.Protocols
	// Manages says that the device is known to hold the user key: it is this one and does, or it has signed a list. No list says
	// who else holds it.
	Manages bool
}

// Devices gives the devices on the newest list of one's own that is held, oldest first. It fails with ErrRemoved if this one
// is not among them.
func (h Host) Devices() ([]Entry, error) {
	k, err := h.keys()
	if err != nil {
		return nil, err
	}
	self, err := h.listed()
	if err != nil {
		return nil, err
	}
	defer self.erase()
	authors, err := authors(self.chain)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, entry := range self.chain.Head().Entries {
		id := entry.DeviceID()
		this := id == self.Device
		entries = append(entries, Entry{
			Device: id, This: this, CreatedAt: entry.CreatedAt, Protocols: entry.Protocols,
			Manages: this && len(k.User) > 0 || !this && slices.Contains(authors, id),
		})
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return entries, nil
}

// authors gives the devices that have signed a list of the chain: each signs beside the user key (S3.1).
func authors(chain *identity.Chain) ([]identity.DeviceID, error) {
	var all []identity.DeviceID
	for _, statement := range chain.Statements() {
		list, err := identity.ParseDeviceList(statement)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, list.Author) {
			all = append(all, list.Author)
		}
	}
	return all, nil
}

// RemoveDevice gives the request to publish the next list without a device; nothing if an earlier list removed it. It fails with
// ErrNoUserKey, ErrRemoved, ErrDeviceUnknown or ErrRemoveSelf.
func (h Host) RemoveDevice(device identity.DeviceID) (Step, error) {
	w := h.begin()
	self, err := w.listed()
	if err != nil {
		return Step{}, err
	}
	defer self.erase()
	if device == self.Device {
		return Step{}, ErrRemoveSelf
	}
	switch _, standing := self.chain.Device(device); standing {
	case identity.Unknown:
		return Step{}, ErrDeviceUnknown
	case identity.Removed:
		return Step{}, nil
	case identity.Listed:
	}
	entries := slices.DeleteFunc(self.chain.Head().Entries, func(e identity.Entry) bool { return e.DeviceID() == device })
	return w.done(w.publish(self, entries))
}

// publish signs the next list with these entries, and checks that it extends the chain (S3, S4.4).
func (w *work) publish(self *own, entries []identity.Entry) error {
	user, err := w.userKeyPair()
	if err != nil {
		return err
	}
	defer user.Erase()
	signing, err := self.signingKey()
	if err != nil {
		return err
	}
	statement, err := identity.SignDeviceList(self.chain.Head(), user, signing, entries)
	if err != nil {
		return err
	}
	if err := self.chain.Extend(statement); err != nil {
		return err
	}
	w.step.Requests = append(w.step.Requests, &PublishList{Statement: statement})
	return nil
}

// userKeyPair gives the user key, for who holds it (S5).
func (h Host) userKeyPair() (*cryptobox.SigningKey, error) {
	k, err := h.keys()
	if err != nil {
		return nil, err
	}
	if len(k.User) == 0 {
		return nil, ErrNoUserKey
	}
	return cryptobox.SigningKeyFromSeed(k.User)
}

// Manages reports whether this device holds the user key, and so can link and unlink others (S5).
func (h Host) Manages() (bool, error) {
	k, err := h.keys()
	return len(k.User) > 0, err
}

// listed gives one's own device, which must be on the newest list that is held.
func (h Host) listed() (*own, error) {
	self, err := h.own()
	if err != nil {
		return nil, err
	}
	if _, standing := self.chain.Device(self.Device); standing != identity.Listed {
		self.erase()
		return nil, ErrRemoved
	}
	return self, nil
}

// lists reports whether the newest list of a chain has exactly this entry.
func lists(chain *identity.Chain, statement []byte) bool {
	head := chain.Head()
	return head != nil && slices.ContainsFunc(head.Entries, func(e identity.Entry) bool { return bytes.Equal(e.Statement(), statement) })
}

// ListVersion gives the version of the newest list of one's own that is held.
func (h Host) ListVersion() (uint32, error) {
	self, err := h.Self()
	if err != nil {
		return 0, err
	}
	chain, err := h.chain(self.User)
	if err != nil {
		return 0, err
	}
	return chain.Version(), nil
}

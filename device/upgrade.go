package device

import (
	"slices"

	"github.com/letterlock/letterlock/identity"
)

// TakeSessions gives the request to publish the next list, on which this device takes sessions and no box any more, for good
// (S4.4). Once that list holds, the step deletes the box key instead: what was ever sealed for it opens no more. It does
// nothing for a device that takes sessions already. It fails with ErrNoUserKey or ErrRemoved.
//
// Receive what waits first: boxes are refused afterwards (B3).
func (h Host) TakeSessions() (Step, error) {
	w := h.begin()
	self, err := w.listed()
	if err != nil {
		return Step{}, err
	}
	defer self.erase()
	entry, _ := self.chain.Device(self.Device)
	if entry.Protocols.Has(identity.ProtocolSession) {
		return w.done(w.dropBoxKey())
	}
	self.seeds.Box = nil
	upgraded, err := self.entry(self.User, identity.ProtocolSession, entry.CreatedAt)
	if err != nil {
		return Step{}, err
	}
	others := slices.DeleteFunc(self.chain.Head().Entries, func(e identity.Entry) bool { return e.DeviceID() == self.Device })
	return w.done(w.publish(self, append(others, upgraded)))
}

func (w *work) dropBoxKey() error {
	k, err := w.keys()
	if err != nil || len(k.Box) == 0 {
		return err
	}
	k.Box = nil
	return w.put(Key{Collection: collectionSelf}, k)
}

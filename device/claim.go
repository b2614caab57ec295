package device

import (
	"slices"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// PrekeySet is what the server hands out to start a session with one device: statements that nobody has verified.
type PrekeySet struct {
	Device          identity.DeviceID
	Signed, OneTime []byte // OneTime is empty if there is none left
	KEM             []byte
}

// seenPrekeys are the highest numbers seen of a device's prekeys (R2).
type seenPrekeys struct{ Numbers prekeyNumbers }

// Claimed starts sessions on the prekeys that the server gave for a user's devices, with those that have none yet. What
// is not signed by its device, or older than what was seen before, is refused: the alarm says so and nothing is started
// on it.
func (h Host) Claimed(user identity.UserID, sets []PrekeySet) (Step, *Alarm, error) {
	w := h.begin()
	self, err := w.own()
	if err != nil {
		return Step{}, nil, err
	}
	defer self.erase()
	chain, err := w.chain(user)
	if err != nil {
		return Step{}, nil, err
	}
	var alarm *Alarm
	for _, set := range sets[:min(len(sets), identity.MaxDevices)] {
		refused, err := w.startOn(self, chain, set)
		if err != nil {
			return Step{}, nil, err
		}
		if refused != nil {
			alarm = refused
			if err := w.raise(alarm); err != nil {
				return Step{}, nil, err
			}
		}
	}
	return w.step, alarm, nil
}

// startOn starts a session with one device, unless it is not on the list, takes none, or has one.
func (w *work) startOn(self *own, chain *identity.Chain, set PrekeySet) (*Alarm, error) {
	entry, standing := chain.Device(set.Device)
	if standing != identity.Listed || !entry.Protocols.Has(identity.ProtocolSession) || set.Device == self.Device {
		return nil, nil //nolint:nilnil // nothing to start, nothing to tell
	}
	if has, err := w.hasSession(chain.User(), set.Device); err != nil || has {
		return nil, err
	}
	bundle, reason, evidence := readBundle(chain.User(), entry, set)
	if reason != "" {
		return w.prekeyAlarm(chain, reason, evidence), nil
	}
	fresh, err := w.noteNumbers(chain.User(), set.Device, bundle)
	if err != nil {
		return nil, err
	}
	if !fresh {
		return w.prekeyAlarm(chain, StalePrekey, set.Signed), nil
	}
	return nil, w.startSession(self, chain, entry, bundle)
}

func (w *work) prekeyAlarm(chain *identity.Chain, reason AlarmReason, evidence []byte) *Alarm {
	return &Alarm{
		User: chain.User(), Reason: reason, Version: chain.Version(), Evidence: evidence[:min(len(evidence), maxEvidence)], At: w.Now,
	}
}

// maxEvidence bounds what is kept of a statement that was refused.
const maxEvidence = 2048

// readBundle verifies a set under the device's signing key (R2).
func readBundle(user identity.UserID, entry identity.Entry, set PrekeySet) (cryptobox.PrekeyBundle, AlarmReason, []byte) {
	var bundle cryptobox.PrekeyBundle
	read := func(statement []byte, kinds ...identity.PrekeyKind) (identity.Prekey, bool) {
		prekey, err := identity.ParsePrekey(statement, user, entry.SigningKey)
		return prekey, err == nil && slices.Contains(kinds, prekey.Kind)
	}
	var ok bool
	if bundle.Signed, ok = read(set.Signed, identity.PrekeySigned); !ok {
		return bundle, ForgedPrekey, set.Signed
	}
	if bundle.KEM, ok = read(set.KEM, identity.PrekeyKEMOneTime, identity.PrekeyKEMLastResort); !ok {
		return bundle, ForgedPrekey, set.KEM
	}
	if len(set.OneTime) > 0 {
		oneTime, ok := read(set.OneTime, identity.PrekeyOneTime)
		if !ok {
			return bundle, ForgedPrekey, set.OneTime
		}
		bundle.OneTime = &oneTime
	}
	return bundle, "", nil
}

// noteNumbers refuses numbers lower than seen, and one-time keys that were seen before (R2).
func (w *work) noteNumbers(user identity.UserID, device identity.DeviceID, bundle cryptobox.PrekeyBundle) (bool, error) {
	key := Key{Collection: collectionSeenPrekeys, Owner: user.String() + "/" + device.String()}
	var seen seenPrekeys
	if _, err := w.get(key, &seen); err != nil {
		return false, err
	}
	prekeys := []identity.Prekey{bundle.Signed, bundle.KEM}
	if bundle.OneTime != nil {
		prekeys = append(prekeys, *bundle.OneTime)
	}
	for _, prekey := range prekeys {
		highest := seen.Numbers.of(prekey.Kind)
		once := prekey.Kind == identity.PrekeyOneTime || prekey.Kind == identity.PrekeyKEMOneTime
		if prekey.Number < *highest || once && prekey.Number == *highest {
			return false, nil
		}
		*highest = prekey.Number
	}
	return true, w.put(key, seen)
}

func (w *work) startSession(self *own, chain *identity.Chain, entry identity.Entry, bundle cryptobox.PrekeyBundle) error {
	me, err := self.member()
	if err != nil {
		return err
	}
	agreement, err := self.agreementKey()
	if err != nil {
		return err
	}
	session, err := cryptobox.StartSession(w.Rand, agreement, me, member(chain.Head().UserKey, entry), bundle)
	if err != nil {
		return err
	}
	defer session.Erase()
	epoch, err := w.epoch()
	if err != nil {
		return err
	}
	record, err := w.sessions(chain.User(), entry.DeviceID())
	if err != nil {
		return err
	}
	record.add(storedSession{State: session.Marshal(), Ephemeral: session.Ephemeral(), Mine: true, Epoch: epoch}, w.Now)
	return w.putSessions(chain.User(), entry.DeviceID(), record)
}

// claims gives the requests for the prekeys of devices that take sessions and have none here, except of users who were
// asked for before.
func (w *work) claims(self *own, asked []identity.UserID, chains ...*identity.Chain) ([]Request, error) {
	var requests []Request
	for _, chain := range chains {
		if slices.Contains(asked, chain.User()) {
			continue
		}
		claim := &ClaimPrekeys{User: chain.User()}
		for _, entry := range chain.Head().Entries {
			if entry.DeviceID() == self.Device || !entry.Protocols.Has(identity.ProtocolSession) {
				continue
			}
			has, err := w.hasSession(chain.User(), entry.DeviceID())
			if err != nil {
				return nil, err
			}
			if !has {
				claim.Devices = append(claim.Devices, entry.DeviceID())
			}
		}
		if len(claim.Devices) > 0 {
			requests = append(requests, claim)
		}
	}
	return requests, nil
}

package device

import (
	"errors"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// opened is what opening an envelope of a session changes, if the envelope is accepted (R5).
type opened struct {
	record peerSessions
	at     int // of the session that opened it; -1 for a new one
	state  []byte

	fresh storedSession // the new one
	used  []Key         // one-time prekeys
}

// unsealSession opens an envelope of a session: with the sessions that are held, newest first, or by accepting the start of a
// new one. It tries on copies; keepSession makes it last.
func (w *work) unsealSession(a *arrival, claimed claim) error {
	if mine, _ := a.self.chain.Device(a.self.Device); !mine.Protocols.Has(identity.ProtocolSession) {
		return refusalError(NeedsSession)
	}
	message := claimed.ciphertext
	var preamble *cryptobox.Preamble
	if claimed.kind == KindSessionStart {
		var err error
		if preamble, message, err = cryptobox.ParseStart(claimed.ciphertext); err != nil {
			return sessionRefusal(err)
		}
	}
	record, err := w.sessions(claimed.user, claimed.device)
	if err != nil {
		return err
	}
	a.opened = &opened{record: record, at: -1}
	for at := range record.Sessions {
		if preamble != nil && record.Sessions[at].Preamble != preamble.Hash() {
			continue
		}
		done, err := w.tryHeld(a, at, message)
		if err != nil || done {
			return err
		}
	}
	switch {
	case preamble != nil:
		return w.acceptStart(a, claimed, preamble, message)
	case len(record.Sessions) == 0:
		return refusalError(NoSession)
	default:
		return refusalError(Forged)
	}
}

// tryHeld opens a message with one session that is held. If another one might open it, it is not done.
func (w *work) tryHeld(a *arrival, at int, message []byte) (done bool, err error) {
	session, err := cryptobox.ParseSession(a.opened.record.Sessions[at].State)
	if err != nil {
		return false, err
	}
	defer session.Erase()
	raw, err := session.Decrypt(w.Rand, w.Now, message)
	if errors.Is(err, cryptobox.ErrForged) {
		return false, nil
	}
	if err != nil {
		return false, sessionRefusal(err)
	}
	a.raw, a.opened.at, a.opened.state = raw, at, session.Marshal()
	return true, nil
}

// acceptStart accepts a session that the sender has started (R1, R2).
func (w *work) acceptStart(a *arrival, claimed claim, preamble *cryptobox.Preamble, message []byte) error {
	entry, standing := a.sender.Device(claimed.device)
	if standing != identity.Listed {
		return refusalError(RemovedDeviceStarts) // C4
	}
	hash := preamble.Hash()
	if before, err := w.acceptedPreamble(hash); err != nil || before {
		return errors.Join(err, onlyIf(before, refusalError(Replayed)))
	}
	private, used, err := w.privatePrekeys(preamble)
	if err != nil {
		return err
	}
	me, err := a.self.member()
	if err != nil {
		return err
	}
	agreement, err := a.self.agreementKey()
	if err != nil {
		return err
	}
	session, err := cryptobox.AcceptSession(agreement, me, member(a.sender.Head().UserKey, entry), preamble, private)
	if err != nil {
		return sessionRefusal(err)
	}
	defer session.Erase()
	if a.raw, err = session.Decrypt(w.Rand, w.Now, message); err != nil {
		return sessionRefusal(err)
	}
	a.opened.fresh = storedSession{State: session.Marshal(), Ephemeral: preamble.Ephemeral, Preamble: hash}
	a.opened.used = used
	return nil
}

// keepSession makes the records of what an accepted envelope has changed.
func (w *work) keepSession(a *arrival) error {
	o := a.opened
	if o.at >= 0 {
		o.record.Sessions[o.at].State = o.state
		return w.putSessions(a.sender.User(), a.device, o.record)
	}
	epoch, err := w.epoch()
	if err != nil {
		return err
	}
	how, err := w.compare(a)
	if err != nil {
		return err
	}
	o.fresh.Epoch = epoch
	if err := o.record.settle(o.fresh, epoch, how, w.Now); err != nil {
		return err
	}
	for _, key := range o.used {
		w.delete(key)
	}
	if err := w.rememberPreamble(o.fresh.Preamble); err != nil {
		return err
	}
	return w.putSessions(a.sender.User(), a.device, o.record)
}

// compare tells by what the start of a session holds whether the sender has counted further since (R4).
func (w *work) compare(a *arrival) (start, error) {
	if a.content == nil {
		return newer, nil
	}
	if _, asks := a.content.Body.(cryptobox.ResendRequest); asks {
		return instead, nil
	}
	if a.content.Body.Control() {
		return newer, nil
	}
	var seen sequence
	_, err := w.get(sequenceKey(a.peer(), a.device), &seen)
	if a.content.Counter < seen.Highest {
		return outdated, err
	}
	return newer, err
}

// sessionRefusal says why an envelope of a session could not be opened.
func sessionRefusal(err error) error {
	switch {
	case errors.Is(err, cryptobox.ErrSessionVersion):
		return refusalError(NewerVersion)
	case errors.Is(err, cryptobox.ErrKeyUsed):
		return refusalError(KeyUsed)
	case errors.Is(err, cryptobox.ErrTooFarAhead):
		return refusalError(TooFarAhead)
	case errors.Is(err, cryptobox.ErrForged), errors.Is(err, identity.ErrStatement):
		return refusalError(Forged)
	default:
		return err
	}
}

package device

import (
	"errors"
	"iter"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// arrival is an envelope that was opened and passed every check.
type arrival struct {
	id      MessageID
	device  identity.DeviceID
	sender  *identity.Chain
	key     identity.BoxPublicKey // of the device, which opened it, if it was a box
	opened  *opened               // by a session, otherwise
	self    *own
	marks   []Mark
	content *cryptobox.Content // nil if its version needs a newer client
	raw     []byte             // what was opened
}

// peer gives the user in whose conversation it belongs.
func (a *arrival) peer() identity.UserID {
	if a.content != nil {
		if body, ok := a.content.Body.(cryptobox.Copy); ok {
			return body.Recipient
		}
	}
	return a.sender.User()
}

// claim is what the server says of an envelope, in the right form.
type claim struct {
	id         MessageID
	user       identity.UserID
	device     identity.DeviceID
	kind       Kind
	nonce      []byte
	ciphertext []byte
}

// open checks an envelope step by step. It fails with errAcceptedBefore, a refusalError or a chainNeededError, or with what
// the records failed with.
func (w *work) open(envelope Envelope) (*arrival, error) {
	claimed, err := readClaim(envelope)
	if err != nil {
		return nil, err
	}
	if before, err := w.get(acceptedKey(claimed.device, claimed.id), new(bool)); err != nil || before {
		return nil, errors.Join(err, onlyIf(before, errAcceptedBefore))
	}
	self, err := w.own()
	if err != nil {
		return nil, err
	}
	defer self.erase()
	if claimed.device == self.Device {
		return nil, refusalError(Reflected)
	}
	a := &arrival{id: claimed.id, device: claimed.device, self: self}
	if err := w.findSender(a, claimed); err != nil {
		return nil, err
	}
	if claimed.kind == KindBox {
		err = a.unseal(claimed)
	} else {
		err = w.unsealSession(a, claimed)
	}
	if err != nil {
		return nil, err
	}
	return a, w.check(a)
}

// unseal opens the box with a key that the sender's lists have for the device (B1), the newest first: a box key may change
// (S4.4). A key that no list held here has yet may stand on the next one, so that the chain is fetched before it is forged.
func (a *arrival) unseal(claimed claim) error {
	mine, _ := a.self.chain.Device(a.self.Device)
	if mine.Protocols.Has(identity.ProtocolSession) || !a.self.hasBox() {
		return refusalError(Downgrade)
	}
	own, err := a.self.boxKey()
	if err != nil {
		return err
	}
	otherwise := NoBoxKey
	box := cryptobox.Box{Nonce: [cryptobox.NonceSize]byte(claimed.nonce), Ciphertext: claimed.ciphertext}
	for key := range boxKeys(a.sender, a.device) {
		raw, err := cryptobox.Open(box, key, own)
		if err == nil {
			a.key, a.raw = key, raw
			return nil
		}
		otherwise = Forged
	}
	return &chainNeededError{claimed.user, a.sender.Version(), otherwise}
}

// boxKeys gives the box keys that a chain has for a device, newest first. Older lists are read only if they are asked for.
func boxKeys(chain *identity.Chain, device identity.DeviceID) iter.Seq[identity.BoxPublicKey] {
	return func(yield func(identity.BoxPublicKey) bool) {
		entry, _ := chain.Device(device)
		for last, version := (identity.BoxPublicKey{}), chain.Version(); ; version-- {
			if entry.Protocols.Has(identity.ProtocolBox) && entry.BoxKey != last {
				if last = entry.BoxKey; !yield(last) {
					return
				}
			}
			list, held := chain.At(version)
			if !held {
				return
			}
			entry, _ = list.Entry(device)
		}
	}
}

// readClaim refuses what no envelope looks like.
func readClaim(envelope Envelope) (claim, error) {
	nonce, most := 0, cryptobox.MaxContentSize
	switch envelope.Kind {
	case KindBox:
		nonce, most = cryptobox.NonceSize, most+cryptobox.BoxOverhead
	case KindSession:
		most += cryptobox.SessionOverhead
	case KindSessionStart:
		most += cryptobox.SessionOverhead + cryptobox.PreambleSize
	default:
		return claim{}, refusalError(NeedsSession)
	}
	id, idErr := ParseMessageID(envelope.MessageID)
	user, userErr := identity.ParseUserID(envelope.SenderUser)
	device, deviceErr := identity.ParseDeviceID(envelope.SenderDevice)
	if errors.Join(idErr, userErr, deviceErr) != nil || len(envelope.Nonce) != nonce || len(envelope.Ciphertext) > most {
		return claim{}, refusalError(Malformed)
	}
	return claim{id, user, device, envelope.Kind, envelope.Nonce, envelope.Ciphertext}, nil
}

// findSender finds the device that is said to have sent the envelope on its user's verified lists.
func (w *work) findSender(a *arrival, claimed claim) error {
	record, chain, err := w.chainRecord(claimed.user)
	if err != nil {
		return err
	}
	a.sender = chain
	if chain.Version() == 0 {
		return &chainNeededError{user: claimed.user, otherwise: UnknownSender}
	}
	_, standing := chain.Device(claimed.device)
	switch {
	case standing == identity.Unknown:
		return &chainNeededError{claimed.user, chain.Version(), UnknownDevice}
	case standing == identity.Removed && w.Now.Sub(record.Removed[claimed.device]) > removedGrace:
		return refusalError(DeviceRemovedLongAgo)
	case standing == identity.Removed:
		a.marks = append(a.marks, RemovedDevice)
	}
	return nil
}

// check is C1 and C2.1 for what was opened.
func (w *work) check(a *arrival) error {
	content, err := cryptobox.ParseContent(a.raw)
	if errors.Is(err, cryptobox.ErrContentVersion) {
		return w.checkRaw(a)
	}
	if err != nil {
		return refusalError(ContentMalformed)
	}
	if content.SenderDevice == a.self.Device {
		return refusalError(Reflected) // B2.1
	}
	outside := cryptobox.Delivered{
		MessageID: a.id, SenderUser: a.sender.User(), SenderDevice: a.device,
		RecipientUser: a.self.User, RecipientDevice: a.self.Device,
	}
	if content.Check(outside) != nil {
		return refusalError(OtherContext)
	}
	if a.sender.User() == a.self.User {
		a.sender = a.self.chain
	}
	a.content = content
	return w.checkLists(a)
}

// checkRaw lets content of a newer version pass once.
func (w *work) checkRaw(a *arrival) error {
	before, err := w.get(rawKey(a.device, a.raw), new(bool))
	if err != nil || !before {
		return err
	}
	return errAcceptedBefore
}

// checkLists compares the lists that the content names with those that are held.
func (w *work) checkLists(a *arrival) error {
	c := a.content
	err := c.CheckLists(a.sender, a.self.chain)
	switch {
	case err == nil:
		return a.checkKey()
	case !errors.Is(err, cryptobox.ErrListMissing):
		if err := w.raiseOtherList(a); err != nil {
			return err
		}
		return refusalError(OtherContext)
	case c.SenderListVersion > a.sender.Version():
		return &chainNeededError{a.sender.User(), a.sender.Version(), ListWithheld}
	default:
		return &chainNeededError{a.self.User, a.self.chain.Version(), ListWithheld}
	}
}

// checkKey makes sure that a box was sealed with the key of the very list that the content names. A session is bound to
// keys that never change (S4.4).
func (a *arrival) checkKey() error {
	if a.opened != nil {
		return nil
	}
	list, held := a.sender.At(a.content.SenderListVersion)
	if !held {
		return refusalError(OtherContext)
	}
	if entry, _ := list.Entry(a.device); !entry.Protocols.Has(identity.ProtocolBox) || entry.BoxKey != a.key {
		return refusalError(OtherContext)
	}
	return nil
}

// raiseOtherList raises the alarm about the list whose hash the content has otherwise than the chain.
func (w *work) raiseOtherList(a *arrival) error {
	c, chain, hash := a.content, a.self.chain, a.content.RecipientListHash
	if held, ok := a.sender.Hash(c.SenderListVersion); ok && held != c.SenderListHash {
		chain, hash = a.sender, c.SenderListHash
	}
	return w.raise(&Alarm{User: chain.User(), Reason: OtherList, Version: chain.Version(), Evidence: hash[:], At: w.Now})
}

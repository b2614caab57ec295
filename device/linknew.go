package device

import (
	"bytes"
	"errors"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// joining is the record of a link on the new device. Its keys are in here, and nowhere else, until the link has ended: a crash
// goes on with them, or forgets them.
type joining struct {
	Keys      keys // without a user
	Protocols identity.Protocols
	Transfer  []byte
	Secret    []byte
	StartedAt time.Time

	Offer  []byte `json:",omitempty"` // step 1, once the user has agreed to it
	Entry  []byte `json:",omitempty"` // the statement of step 2
	Answer []byte `json:",omitempty"` // step 2 as it is sealed
}

// NewLink is what a new device shows.
type NewLink struct {
	Code   cryptobox.LinkCode
	Device identity.DeviceID
	Ends   time.Time
}

// StartLink makes the keys of a device that accepts these protocols, to be linked to an existing user, and gives the code to
// show and the request for step 0 (L1.1, L1.2). A link that was started before and can still end goes on. It fails with
// ErrHasKeys.
func (h Host) StartLink(protocols identity.Protocols) (Step, NewLink, error) {
	w := h.begin()
	if found, err := w.get(Key{Collection: collectionSelf}, new(keys)); err != nil || found {
		return Step{}, NewLink{}, errors.Join(err, onlyIf(found, ErrHasKeys))
	}
	var record joining
	found, err := w.get(linkKey(sideNew), &record)
	if err != nil {
		return Step{}, NewLink{}, err
	}
	if age := w.Now.Sub(record.StartedAt); !found || age < 0 || age >= LinkLifetime || record.Protocols != protocols {
		if record, err = w.newJoining(protocols); err != nil {
			return Step{}, NewLink{}, err
		}
	}
	l, err := record.load()
	if err != nil {
		return Step{}, NewLink{}, err
	}
	defer l.erase()
	if err := w.putLink(l.code, cryptobox.LinkStepKeys, l.public.Marshal()); err != nil {
		return Step{}, NewLink{}, err
	}
	// The code outlives this step: its owner shows it.
	shown, err := cryptobox.LinkCodeFromSeed(record.Secret, &l.public)
	return w.step, NewLink{Code: shown, Device: l.public.Device(), Ends: record.StartedAt.Add(LinkLifetime)}, err
}

func (w *work) newJoining(protocols identity.Protocols) (joining, error) {
	made, err := generateDevice(w.Host, protocols)
	if err != nil {
		return joining{}, err
	}
	defer made.erase()
	transfer, err := cryptobox.GenerateTransferKey(w.Rand)
	if err != nil {
		return joining{}, err
	}
	defer transfer.Erase()
	public, err := linkKeys(&made, protocols, transfer)
	if err != nil {
		return joining{}, err
	}
	code, err := cryptobox.NewLinkCode(w.Rand, &public)
	if err != nil {
		return joining{}, err
	}
	defer code.Erase()
	record := joining{
		Keys: made.keys(identity.UserID{}, w.Now), Protocols: protocols, Transfer: transfer.Seed(), Secret: code.Seed(), StartedAt: w.Now,
	}
	return record, w.put(linkKey(sideNew), record)
}

// newDevice is the record, ready for use. Call erase when done.
type newDevice struct {
	own
	transfer *cryptobox.TransferKey
	public   cryptobox.LinkKeys
	code     cryptobox.LinkCode
}

func (l *newDevice) erase() {
	l.own.erase()
	l.transfer.Erase()
	l.code.Erase()
}

func (r *joining) load() (l *newDevice, err error) {
	l = new(newDevice)
	l.seeds = r.Keys
	if l.transfer, err = cryptobox.TransferKeyFromSeed(r.Transfer); err != nil {
		return nil, err
	}
	if l.public, err = linkKeys(&l.own, r.Protocols, l.transfer); err != nil {
		return nil, err
	}
	l.code, err = cryptobox.LinkCodeFromSeed(r.Secret, &l.public)
	return l, err
}

// linkKeys gives the public keys of a device that wants to be linked (L1.1).
func linkKeys(o *own, protocols identity.Protocols, transfer *cryptobox.TransferKey) (public cryptobox.LinkKeys, err error) {
	signing, err := o.signingKey()
	if err != nil {
		return public, err
	}
	agreement, err := o.agreementKey()
	if err != nil {
		return public, err
	}
	box, err := o.boxKey()
	if err != nil {
		return public, err
	}
	public = cryptobox.LinkKeys{
		Signing: signing.PublicKey(), Agreement: agreement.PublicKey(), Protocols: protocols, Transfer: transfer.PublicKey(),
	}
	if box != nil {
		public.Box = box.PublicKey()
	}
	return public, nil
}

func (w *work) joining() (joining, *newDevice, error) {
	var record joining
	found, err := w.get(linkKey(sideNew), &record)
	if err != nil {
		return record, nil, err
	}
	if !found {
		return record, nil, ErrNoLink
	}
	l, err := record.load()
	return record, l, err
}

// LinkOffered opens step 1 and says to which user this device would belong (L1.5). Show it and ask; nothing has changed. It fails
// with ErrLinkForged.
func (h Host) LinkOffered(step1 []byte) (identity.UserID, error) {
	_, l, err := h.begin().joining()
	if err != nil {
		return identity.UserID{}, err
	}
	defer l.erase()
	channel, offer, err := cryptobox.OpenLinkOffer(l.code, l.transfer, step1)
	if err != nil {
		return identity.UserID{}, notForged(err)
	}
	channel.Erase()
	return offer.User(), nil
}

// JoinLink signs the entry of this device for the user of step 1, once its own user has agreed, and gives the request for step 2
// (L1.6). Called again it gives the same bytes; with another offer it fails with ErrLinkForged.
func (h Host) JoinLink(step1 []byte) (Step, error) {
	w := h.begin()
	record, l, err := w.joining()
	if err != nil {
		return Step{}, err
	}
	defer l.erase()
	switch {
	case len(record.Answer) > 0 && !bytes.Equal(record.Offer, step1):
		return Step{}, ErrLinkForged
	case len(record.Answer) == 0:
		if err := w.answerOffer(&record, l, step1); err != nil {
			return Step{}, err
		}
	}
	return w.done(w.putLink(l.code, cryptobox.LinkStepEntry, record.Answer))
}

func (w *work) answerOffer(record *joining, l *newDevice, step1 []byte) error {
	channel, offer, err := cryptobox.OpenLinkOffer(l.code, l.transfer, step1)
	if err != nil {
		return notForged(err)
	}
	defer channel.Erase()
	entry, err := l.entry(offer.User(), record.Protocols, w.Now)
	if err != nil {
		return err
	}
	record.Offer, record.Entry = step1, entry.Statement()
	if record.Answer, err = channel.Seal(w.Rand, cryptobox.LinkStepEntry, record.Entry); err != nil {
		return err
	}
	return w.put(linkKey(sideNew), record)
}

// DeclineLink ends the link because its user has said no to step 1, and gives the request that tells the other device (L1.6). It
// does nothing if this device has answered already.
func (h Host) DeclineLink(step1 []byte) (Step, error) {
	w := h.begin()
	record, l, err := w.joining()
	if err != nil || len(record.Answer) > 0 {
		return Step{}, err
	}
	defer l.erase()
	channel, _, err := cryptobox.OpenLinkOffer(l.code, l.transfer, step1)
	if err != nil {
		return Step{}, notForged(err)
	}
	defer channel.Erase()
	no, err := channel.Seal(w.Rand, cryptobox.LinkStepEntry, nil)
	if err != nil {
		return Step{}, err
	}
	w.delete(linkKey(sideNew))
	return w.done(w.putLink(l.code, cryptobox.LinkStepEntry, no))
}

// FinishLink opens step 3, checks it against the chain of the user, and makes this the device of that user (L1.8). If the
// chain is not held yet the step asks for it and holds nothing else: feed the answer into Fetched and call again. It fails with
// ErrLinkForged or ErrLinkList; then nothing is kept.
func (h Host) FinishLink(step3 []byte) (Step, Self, error) {
	w := h.begin()
	record, l, err := w.joining()
	if err != nil {
		return Step{}, Self{}, err
	}
	defer l.erase()
	if found, err := w.get(Key{Collection: collectionSelf}, new(keys)); err != nil || found {
		return Step{}, Self{}, errors.Join(err, onlyIf(found, ErrHasKeys))
	}
	channel, offer, err := cryptobox.OpenLinkOffer(l.code, l.transfer, record.Offer)
	if err != nil {
		return Step{}, Self{}, notForged(err)
	}
	defer channel.Erase()
	grant, err := openGrant(channel, &offer, step3)
	if err != nil {
		return Step{}, Self{}, err
	}
	if grant.UserKey != nil {
		defer grant.UserKey.Erase()
	}
	chain, err := w.chain(offer.User())
	if err != nil {
		return Step{}, Self{}, err
	}
	if chain.Version() < max(grant.Version, offer.Version) {
		return Step{Requests: []Request{&FetchUser{User: offer.User(), Since: chain.Version()}}}, Self{}, nil
	}
	if err := record.granted(chain, &offer, &grant); err != nil {
		return Step{}, Self{}, err
	}
	return w.become(&record, l, offer.User(), &grant)
}

func openGrant(channel *cryptobox.LinkChannel, offer *cryptobox.LinkOffer, step3 []byte) (cryptobox.LinkGrant, error) {
	plaintext, err := channel.Open(cryptobox.LinkStepGrant, step3)
	if err != nil {
		return cryptobox.LinkGrant{}, notForged(err)
	}
	defer clear(plaintext)
	grant, err := cryptobox.ParseLinkGrant(plaintext)
	if err != nil {
		return grant, notForged(err)
	}
	if grant.UserKey != nil && grant.UserKey.PublicKey() != offer.UserKey {
		grant.UserKey.Erase()
		return grant, ErrLinkForged
	}
	return grant, nil
}

// granted is L1.8: the lists of both steps stand on the chain, that of step 3 has exactly our entry, and we are still listed.
func (r *joining) granted(chain *identity.Chain, offer *cryptobox.LinkOffer, grant *cryptobox.LinkGrant) error {
	entry, err := identity.ParseEntry(r.Entry)
	if err != nil {
		return err
	}
	list, held := chain.At(grant.Version)
	if !held || !names(chain, grant.Version, grant.ListHash) || !names(chain, offer.Version, offer.ListHash) {
		return ErrLinkList
	}
	named, ok := list.Entry(entry.DeviceID())
	if !ok || !bytes.Equal(named.Statement(), r.Entry) {
		return ErrLinkList
	}
	if _, standing := chain.Device(entry.DeviceID()); standing != identity.Listed {
		return ErrRemoved
	}
	return nil
}

// become keeps the keys as those of this device, which the host's server knows already from the list.
func (w *work) become(r *joining, l *newDevice, user identity.UserID, grant *cryptobox.LinkGrant) (Step, Self, error) {
	entry, err := identity.ParseEntry(r.Entry)
	if err != nil {
		return Step{}, Self{}, err
	}
	k := l.keys(user, entry.CreatedAt)
	if grant.UserKey != nil {
		k.User = grant.UserKey.Seed()
	}
	if err := w.put(Key{Collection: collectionSelf}, k); err != nil {
		return Step{}, Self{}, err
	}
	var server serverRecord
	if _, err := w.get(w.serverKey(), &server); err != nil {
		return Step{}, Self{}, err
	}
	server.Registered = true
	if err := w.put(w.serverKey(), server); err != nil {
		return Step{}, Self{}, err
	}
	w.delete(linkKey(sideNew))
	return w.step, Self{User: user, Device: entry.DeviceID(), CreatedAt: entry.CreatedAt}, nil
}

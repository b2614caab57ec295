package device

import (
	"bytes"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// inviting is the record of a link on the existing device.
type inviting struct {
	Secret    []byte
	Keys      []byte // step 0
	Ephemeral []byte
	Manage    bool

	Offer []byte // step 1 as it is sealed
	Entry []byte `json:",omitempty"` // the statement of step 2
	Grant []byte `json:",omitempty"` // step 3 as it is sealed
}

// CheckLink reads step 0 of a link against its code (L1.5), and says which device wants to become one of one's own. Show its id
// and one's user id, and ask; nothing has changed. It fails with ErrLinkForged, ErrNoUserKey, ErrRemoved or
// ErrLinkProtocols.
func (h Host) CheckLink(code cryptobox.LinkCode, step0 []byte) (identity.DeviceID, error) {
	self, err := h.listed()
	if err != nil {
		return identity.DeviceID{}, err
	}
	defer self.erase()
	user, err := h.userKeyPair()
	if err != nil {
		return identity.DeviceID{}, err
	}
	user.Erase()
	public, err := readLinkKeys(code, step0)
	if err != nil {
		return identity.DeviceID{}, err
	}
	if self.cannotReach(identity.Entry{Protocols: public.Protocols}) != "" {
		return identity.DeviceID{}, ErrLinkProtocols
	}
	return public.Device(), nil
}

func readLinkKeys(code cryptobox.LinkCode, step0 []byte) (cryptobox.LinkKeys, error) {
	public, err := cryptobox.ParseLinkKeys(step0)
	if err != nil {
		return public, notForged(err)
	}
	if !code.Names(&public) {
		return public, ErrLinkForged
	}
	return public, nil
}

// OfferLink gives the request for step 1, once the user has agreed (L1.5). manage says whether the new device is to get the user
// key, too (S5). Called again with the same code it gives the same bytes; another code ends the link before. It fails as
// CheckLink does.
func (h Host) OfferLink(code cryptobox.LinkCode, step0 []byte, manage bool) (Step, error) {
	w := h.begin()
	if _, err := w.CheckLink(code, step0); err != nil {
		return Step{}, err
	}
	var record inviting
	found, err := w.get(linkKey(sideExisting), &record)
	if err != nil {
		return Step{}, err
	}
	if !found || !code.Has(record.Secret) || !bytes.Equal(record.Keys, step0) {
		record = inviting{Secret: code.Seed(), Keys: step0}
		if err := w.offer(&record, code); err != nil {
			return Step{}, err
		}
	}
	if record.Manage != manage {
		record.Manage, record.Grant = manage, nil // what was sealed before says something else
	}
	if err := w.put(linkKey(sideExisting), record); err != nil {
		return Step{}, err
	}
	return w.done(w.putLink(code, cryptobox.LinkStepOffer, record.Offer))
}

func (w *work) offer(record *inviting, code cryptobox.LinkCode) error {
	ephemeral, err := cryptobox.GenerateTransferKey(w.Rand)
	if err != nil {
		return err
	}
	defer ephemeral.Erase()
	self, err := w.own()
	if err != nil {
		return err
	}
	defer self.erase()
	public, err := cryptobox.ParseLinkKeys(record.Keys)
	if err != nil {
		return err
	}
	channel, err := cryptobox.NewLinkChannel(code, ephemeral, public.Transfer)
	if err != nil {
		return err
	}
	defer channel.Erase()
	head := self.chain.Head()
	record.Ephemeral = ephemeral.Seed()
	record.Offer, err = channel.SealOffer(w.Rand, &cryptobox.LinkOffer{
		UserKey: head.UserKey, Version: head.Version, ListHash: head.Hash(),
	})
	return err
}

// existingDevice is the record, ready for use. Call erase when done.
type existingDevice struct {
	public  cryptobox.LinkKeys
	code    cryptobox.LinkCode
	channel *cryptobox.LinkChannel
}

func (l *existingDevice) erase() {
	l.code.Erase()
	l.channel.Erase()
}

func (w *work) inviting() (inviting, *existingDevice, error) {
	var record inviting
	found, err := w.get(linkKey(sideExisting), &record)
	if err != nil {
		return record, nil, err
	}
	if !found {
		return record, nil, ErrNoLink
	}
	l := new(existingDevice)
	if l.public, err = cryptobox.ParseLinkKeys(record.Keys); err != nil {
		return record, nil, err
	}
	if l.code, err = cryptobox.LinkCodeFromSeed(record.Secret, &l.public); err != nil {
		return record, nil, err
	}
	ephemeral, err := cryptobox.TransferKeyFromSeed(record.Ephemeral)
	if err != nil {
		return record, nil, err
	}
	defer ephemeral.Erase()
	l.channel, err = cryptobox.NewLinkChannel(l.code, ephemeral, l.public.Transfer)
	return record, l, err
}

// SignLink opens step 2, checks the entry against step 0, and gives the request to publish the list that names it (L1.7); no
// request if one's own chain does so already. It fails with ErrLinkDeclined if the other
// device's user said no, with ErrLinkForged, ErrRemoved or an error of package identity.
func (h Host) SignLink(step2 []byte) (Step, error) {
	w := h.begin()
	record, l, err := w.inviting()
	if err != nil {
		return Step{}, err
	}
	defer l.erase()
	self, err := w.listed()
	if err != nil {
		return Step{}, err
	}
	defer self.erase()
	plaintext, err := l.channel.Open(cryptobox.LinkStepEntry, step2)
	if err != nil {
		return Step{}, notForged(err)
	}
	if len(plaintext) == 0 {
		return Step{}, ErrLinkDeclined
	}
	entry, err := identity.ParseEntry(plaintext)
	if err != nil {
		return Step{}, notForged(err)
	}
	if entry.UserID != self.User || !l.public.Matches(entry) {
		return Step{}, ErrLinkForged
	}
	record.Entry = entry.Statement()
	if err := w.put(linkKey(sideExisting), record); err != nil {
		return Step{}, err
	}
	if lists(self.chain, record.Entry) {
		return w.step, nil
	}
	return w.done(w.publish(self, append(self.chain.Head().Entries, entry)))
}

// GrantLink gives the request for step 3, once one's own chain names the new device (L1.7). The user key goes along only if
// OfferLink was told so. Called again it gives the same bytes. It fails with ErrLinkList if the chain does not name the device.
func (h Host) GrantLink() (Step, error) {
	w := h.begin()
	record, l, err := w.inviting()
	if err != nil {
		return Step{}, err
	}
	defer l.erase()
	if len(record.Grant) == 0 {
		if err := w.grant(&record, l.channel); err != nil {
			return Step{}, err
		}
	}
	return w.done(w.putLink(l.code, cryptobox.LinkStepGrant, record.Grant))
}

func (w *work) grant(record *inviting, channel *cryptobox.LinkChannel) error {
	self, err := w.listed()
	if err != nil {
		return err
	}
	defer self.erase()
	if len(record.Entry) == 0 || !lists(self.chain, record.Entry) {
		return ErrLinkList
	}
	head := self.chain.Head()
	grant := cryptobox.LinkGrant{Version: head.Version, ListHash: head.Hash()}
	if record.Manage {
		if grant.UserKey, err = w.userKeyPair(); err != nil {
			return err
		}
		defer grant.UserKey.Erase()
	}
	plaintext := grant.Marshal()
	defer clear(plaintext)
	if record.Grant, err = channel.Seal(w.Rand, cryptobox.LinkStepGrant, plaintext); err != nil {
		return err
	}
	return w.put(linkKey(sideExisting), record)
}

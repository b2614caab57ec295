package device

import (
	"slices"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// sealing is what one message is sealed into: session messages by default, boxes only for devices that take nothing else
// (B3). A device that takes sessions and has no prekeys is left out, and the message says so.
type sealing struct {
	recipients []Recipient
	addressed  []identity.DeviceID // of the recipient
	left       int                 // devices of the recipient that were left out
}

// envelopes seals a message for every device of its recipient, and a copy for each other device of one's own. If a
// device must not be sent what this one can seal, nobody is sent anything, and the reason says why (B1, B3).
func (w *work) envelopes(self *own, peer *identity.Chain, message *Message) (sealing, FailureReason, error) {
	if _, standing := self.chain.Device(self.Device); standing != identity.Listed {
		return sealing{}, OwnDeviceNeedsSession, nil
	}
	content := w.content(self, message)
	content.Body = cryptobox.Text{Text: message.Text}
	theirs, left, reason, err := w.sealFor(self, peer, content)
	if err != nil || reason != "" {
		return sealing{}, reason, err
	}
	if len(theirs.Envelopes) == 0 {
		return sealing{}, PrekeysMissing, nil
	}
	content.Body = cryptobox.Copy{Recipient: message.Peer, Text: message.Text}
	mine, _, reason, err := w.sealFor(self, self.chain, content)
	if err != nil {
		return sealing{}, "", err
	}
	if reason != "" {
		return sealing{}, OwnDeviceNeedsSession, nil
	}
	sealed := sealing{recipients: []Recipient{theirs}, left: left}
	for _, envelope := range theirs.Envelopes {
		sealed.addressed = append(sealed.addressed, envelope.Device)
	}
	if len(mine.Envelopes) > 0 {
		sealed.recipients = append(sealed.recipients, mine)
	}
	return sealed, "", nil
}

// content is what a message's envelopes have in common (C1).
func (w *work) content(self *own, message *Message) cryptobox.Content {
	return cryptobox.Content{
		MessageID:    message.ID,
		SenderUser:   self.User,
		SenderDevice: self.Device,
		Conversation: cryptobox.ConversationID(self.User, message.Peer),
		Counter:      message.Counter,
		SentAt:       message.SentAt,
	}
}

// sealFor seals for every device that the newest list of the chain names, but for this one. It counts those that it had
// to leave out.
func (w *work) sealFor(self *own, chain *identity.Chain, content cryptobox.Content) (Recipient, int, FailureReason, error) {
	list := chain.Head()
	recipient := Recipient{User: chain.User(), ListVersion: list.Version}
	left := 0
	for _, entry := range list.Entries {
		if entry.DeviceID() == self.Device {
			continue
		}
		if reason := self.cannotReach(entry); reason != "" {
			return Recipient{}, 0, reason, nil
		}
		envelope, err := w.sealOne(self, list, entry, content)
		if err != nil {
			return Recipient{}, 0, "", err
		}
		if envelope == nil {
			left++
			continue
		}
		recipient.Envelopes = append(recipient.Envelopes, *envelope)
	}
	return recipient, left, "", nil
}

// cannotReachAll reports whether a user has a device for which this one can seal nothing.
func (o *own) cannotReachAll(chain *identity.Chain) bool {
	return slices.ContainsFunc(chain.Head().Entries, func(e identity.Entry) bool { return o.cannotReach(e) != "" })
}

// cannotReach says why this device can seal nothing that the other one takes (B1, B3). Who takes no sessions could not be
// answered in one, and so starts none.
func (o *own) cannotReach(entry identity.Entry) FailureReason {
	mine, _ := o.chain.Device(o.Device)
	switch {
	case entry.Protocols.Has(identity.ProtocolSession) && mine.Protocols.Has(identity.ProtocolSession):
		return ""
	case entry.Protocols.Has(identity.ProtocolSession) || !entry.Protocols.Has(identity.ProtocolBox):
		return RecipientNeedsSession
	case !o.hasBox() || !mine.Protocols.Has(identity.ProtocolBox):
		return RecipientNeedsBox
	}
	return ""
}

// sealOne binds the content to its place (C1) and seals it for one device. It gives nothing if that takes a session and
// there is none.
func (w *work) sealOne(
	self *own, list *identity.DeviceList, entry identity.Entry, content cryptobox.Content,
) (*SealedEnvelope, error) {
	ownList := self.chain.Head()
	content.SenderListVersion, content.SenderListHash = ownList.Version, ownList.Hash()
	content.RecipientUser, content.RecipientDevice = list.UserID(), entry.DeviceID()
	content.RecipientListVersion, content.RecipientListHash = list.Version, list.Hash()
	plaintext, err := content.Marshal()
	if err != nil {
		return nil, err
	}
	defer clear(plaintext)
	if entry.Protocols.Has(identity.ProtocolSession) {
		return w.sealInSession(list.UserID(), entry.DeviceID(), plaintext)
	}
	key, err := self.boxKey()
	if err != nil {
		return nil, err
	}
	box, err := cryptobox.Seal(w.Rand, plaintext, entry.BoxKey, key)
	if err != nil {
		return nil, err
	}
	return &SealedEnvelope{Device: entry.DeviceID(), Kind: KindBox, Nonce: box.Nonce[:], Ciphertext: box.Ciphertext}, nil
}

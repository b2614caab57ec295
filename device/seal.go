package device

import (
	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// envelopes seals a message for every device of its recipient, and a copy for each other device of one's own. If a
// device must not be sent a box, nobody is sent one, and the reason says why (B1, B3).
func (w *work) envelopes(self *own, peer *identity.Chain, message *Message) ([]Recipient, FailureReason, error) {
	entry, standing := self.chain.Device(self.Device)
	if standing != identity.Listed || !entry.Protocols.Has(identity.ProtocolBox) {
		return nil, OwnDeviceNeedsSession, nil
	}
	theirs, takesBoxes, err := w.sealFor(self, peer, message, cryptobox.Text{Text: message.Text})
	if err != nil {
		return nil, "", err
	}
	if !takesBoxes {
		return nil, RecipientNeedsSession, nil
	}
	copied := cryptobox.Copy{Recipient: message.Peer, Text: message.Text}
	mine, takesBoxes, err := w.sealFor(self, self.chain, message, copied)
	if err != nil {
		return nil, "", err
	}
	if !takesBoxes {
		return nil, OwnDeviceNeedsSession, nil
	}
	recipients := []Recipient{theirs}
	if len(mine.Envelopes) > 0 {
		recipients = append(recipients, mine)
	}
	return recipients, "", nil
}

// sealFor seals for every device that the newest list of the chain names, but for this one.
func (w *work) sealFor(self *own, chain *identity.Chain, message *Message, body cryptobox.Body) (Recipient, bool, error) {
	list := chain.Head()
	recipient := Recipient{User: chain.User(), ListVersion: list.Version}
	for _, entry := range list.Entries {
		device := entry.DeviceID()
		if device == self.Device {
			continue
		}
		if !entry.Protocols.Has(identity.ProtocolBox) || entry.Protocols.Has(identity.ProtocolSession) {
			return Recipient{}, false, nil
		}
		envelope, err := w.sealOne(self, list, entry, message, body)
		if err != nil {
			return Recipient{}, false, err
		}
		recipient.Envelopes = append(recipient.Envelopes, envelope)
	}
	return recipient, true, nil
}

// sealOne binds the content to its place (C1) and seals it for one device (B1).
func (w *work) sealOne(
	self *own, list *identity.DeviceList, entry identity.Entry, message *Message, body cryptobox.Body,
) (SealedEnvelope, error) {
	ownList := self.chain.Head()
	content := cryptobox.Content{
		MessageID:            message.ID,
		SenderUser:           self.User,
		SenderDevice:         self.Device,
		RecipientUser:        list.UserID(),
		RecipientDevice:      entry.DeviceID(),
		Conversation:         cryptobox.ConversationID(self.User, message.Peer),
		Counter:              message.Counter,
		SenderListVersion:    ownList.Version,
		SenderListHash:       ownList.Hash(),
		RecipientListVersion: list.Version,
		RecipientListHash:    list.Hash(),
		SentAt:               message.SentAt,
		Body:                 body,
	}
	plaintext, err := content.Marshal()
	if err != nil {
		return SealedEnvelope{}, err
	}
	defer clear(plaintext)
	box, err := cryptobox.Seal(w.Rand, plaintext, entry.BoxKey, self.box)
	if err != nil {
		return SealedEnvelope{}, err
	}
	return SealedEnvelope{Device: entry.DeviceID(), Nonce: box.Nonce[:], Ciphertext: box.Ciphertext}, nil
}

package mailbox

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/identity"
)

// sendWork is a Send or a Call that waits for the writer.
type sendWork struct {
	claim
	id     uuid.UUID
	user   identity.UserID
	device identity.DeviceID
	// ahead says that the id is from the future: it is only good if it is remembered, from before the clock was set back.
	ahead bool

	messages []Outgoing
	// envelopes are those of all messages, in their order.
	envelopes []addressed
	bytes     int
}

// addressed is an envelope with the message and the recipient that it belongs to.
type addressed struct {
	*Envelope
	recipient *Recipient
	message   int
}

// address lists the envelopes of messages, and refuses what no mailbox would take.
func (l Limits) address(messages []Outgoing) (*sendWork, error) {
	n := 0
	for i := range messages {
		for j := range messages[i].Recipients {
			n += len(messages[i].Recipients[j].Envelopes)
		}
	}
	switch {
	case n == 0:
		return nil, badInput("A message needs at least one envelope.")
	case n > l.MaxEnvelopesPerSend:
		return nil, badInput(fmt.Sprintf("%d envelopes may be sent at once; these are %d.", l.MaxEnvelopesPerSend, n))
	}
	w := &sendWork{messages: messages, envelopes: make([]addressed, 0, n)}
	if err := checkNames(messages); err != nil {
		return nil, err
	}
	for i := range messages {
		if err := w.add(l, i); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// checkNames refuses messages of which two have the same id.
func checkNames(messages []Outgoing) error {
	if len(messages) == 1 {
		return nil
	}
	names := make(map[uuid.UUID]bool, len(messages))
	for i := range messages {
		if names[messages[i].MessageID] {
			return badInput("A message id is there twice. Each message has its own.")
		}
		names[messages[i].MessageID] = true
	}
	return nil
}

// add lists the envelopes of one message.
func (w *sendWork) add(l Limits, message int) error {
	m, first := &w.messages[message], len(w.envelopes)
	if m.ExpiresIn < 0 {
		return badInput("A message cannot expire before it is sent.")
	}
	for i := range m.Recipients {
		r := &m.Recipients[i]
		for j := range m.Recipients[:i] {
			if m.Recipients[j].User == r.User {
				return badInput("A user is named twice as a recipient. Put all envelopes of a user under one.")
			}
		}
		if len(r.Envelopes) == 0 {
			return badInput("A recipient is named without an envelope. Leave it out, or seal for its devices.")
		}
		for j := range r.Envelopes {
			if err := l.checkEnvelope(&r.Envelopes[j]); err != nil {
				return err
			}
			w.envelopes = append(w.envelopes, addressed{Envelope: &r.Envelopes[j], recipient: r, message: message})
			w.bytes += len(r.Envelopes[j].Ciphertext)
		}
	}
	if len(w.envelopes) == first {
		return badInput("A message needs at least one envelope.")
	}
	return w.checkDevices(first)
}

// checkDevices refuses a message, whose envelopes start at first, that names a device twice.
func (w *sendWork) checkDevices(first int) error {
	if len(w.envelopes)-first == 1 {
		return nil
	}
	devices := make(map[identity.DeviceID]bool, len(w.envelopes)-first)
	for _, to := range w.envelopes[first:] {
		if devices[to.Device] {
			return badInput("A device is named twice. Send it one envelope.")
		}
		devices[to.Device] = true
	}
	return nil
}

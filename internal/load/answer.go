package load

import (
	"bytes"
	"fmt"
)

// answers checks that all that was sent was stored. The first answer is parsed; those after it must say the same of their own
// ids, byte for byte, which is cheap to see. One that does not is parsed as well, and becomes the new example.
type answers struct {
	shape    Shape
	expected text
}

// check looks at the answer to a request whose ids, by variable, are these.
func (a *answers) check(way way, answer []byte, ids [][]byte) error {
	for variable, id := range ids {
		a.expected.set(variable, id)
	}
	if bytes.Equal(answer, a.expected.bytes) {
		return nil
	}
	payload, err := way.payload(ids[operation], answer)
	if err != nil {
		return err
	}
	if err := a.parse(payload, ids[firstName:]); err != nil {
		return err
	}
	a.expected = learn(answer, ids)
	return nil
}

type sentMessage struct {
	MessageID  string
	Deliveries []struct{ Status string }
}

func (a *answers) parse(payload []byte, names [][]byte) error {
	var data struct {
		SendMessage  *sentMessage
		SendMessages *struct {
			CallID   string
			Messages []sentMessage
		}
	}
	if err := parseReply(payload, &data); err != nil {
		return err
	}
	var sent []sentMessage
	switch {
	case !a.shape.Bulk && data.SendMessage != nil:
		sent = []sentMessage{*data.SendMessage}
	case a.shape.Bulk && data.SendMessages != nil && data.SendMessages.CallID == string(names[0]):
		sent, names = data.SendMessages.Messages, names[1:]
	}
	if len(sent) != a.shape.Messages {
		return fmt.Errorf("an answer about %d messages instead of %d: %s", len(sent), a.shape.Messages, payload)
	}
	for i := range sent {
		if err := sent[i].stored(string(names[i]), a.shape.Recipients); err != nil {
			return err
		}
	}
	return nil
}

func (m *sentMessage) stored(name string, recipients int) error {
	if m.MessageID != name || len(m.Deliveries) != recipients {
		return fmt.Errorf("the answer is about another message: %+v", *m)
	}
	for _, delivery := range m.Deliveries {
		if delivery.Status != "STORED" {
			return fmt.Errorf("not stored: %s", delivery.Status)
		}
	}
	return nil
}

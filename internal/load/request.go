package load

import (
	"fmt"
	"strconv"
)

// Shape is what one call of a sender carries.
type Shape struct {
	Bulk       bool // sendMessages instead of sendMessage
	Messages   int  // in a call; 1 unless Bulk
	Recipients int  // of a message
	ExpiresIn  int  // seconds; 0 for as long as the server lets messages wait
}

// One is a message to one device.
func One() Shape { return Shape{Messages: 1, Recipients: 1} }

// Envelopes is how many envelopes a call has.
func (s Shape) Envelopes() int { return s.Messages * s.Recipients }

func (s Shape) validate(receivers int) error {
	if s.Messages < 1 || s.Recipients < 1 || s.Recipients > receivers || !s.Bulk && s.Messages > 1 {
		return fmt.Errorf("calls of %d messages to %d of %d receivers each cannot be made", s.Messages, s.Recipients, receivers)
	}
	return nil
}

// The variables of a request. Behind them come the stamps of the envelopes.
const (
	operation = 0 // the id of an operation on a socket
	firstName = 1 // message ids; before them, in a bulk, the call's
)

const operationText = 8

// names is how many names a call has.
func (s Shape) names() int {
	if s.Bulk {
		return 1 + s.Messages
	}
	return 1
}

func (s Shape) firstStamp() int { return firstName + s.names() }

const (
	sendQuery = `mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageId deliveries { status } } }`
	bulkQuery = `mutation($input: SendMessagesInput!) { sendMessages(input: $input) { callId messages { messageId deliveries { status } } } }`
)

// body gives the request without what its way to the server puts around it. Envelope i goes to to[i].
func (s Shape) body(c *Content, to []*Person) text {
	var t text
	if !s.Bulk {
		t.fixed(`{"query":"` + sendQuery + `","variables":{"input":`)
		s.message(&t, c, to, 0)
		t.fixed(`}}`)
		return t
	}
	t.fixed(`{"query":"` + bulkQuery + `","variables":{"input":{"callId":"`)
	t.spot(firstName, nameText)
	t.fixed(`","messages":[`)
	for m := range s.Messages {
		if m > 0 {
			t.fixed(`,`)
		}
		s.message(&t, c, to, m)
	}
	t.fixed(`]}}}`)
	return t
}

// message appends message m of the call.
func (s Shape) message(t *text, c *Content, to []*Person, m int) {
	t.fixed(`{"messageId":"`)
	t.spot(s.firstStamp()-s.Messages+m, nameText)
	t.fixed(`",`)
	if s.ExpiresIn > 0 {
		t.fixed(`"expiresIn":` + strconv.Itoa(s.ExpiresIn) + `,`)
	}
	t.fixed(`"recipients":[`)
	for r := range s.Recipients {
		if r > 0 {
			t.fixed(`,`)
		}
		i := m*s.Recipients + r
		t.fixed(`{"userId":"` + to[i].user.String() + `","listVersion":1,"envelopes":[{"deviceId":"` + to[i].device.String() +
			`","kind":"BOX","ciphertext":"`)
		t.spot(s.firstStamp()+i, stampText)
		t.fixed(c.tail + `","nonce":"`)
		t.spot(s.firstStamp()+i, stampText)
		t.fixed(`"}]}`)
	}
	t.fixed(`]}`)
}

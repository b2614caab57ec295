package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// Receiver holds one live subscription on its device's socket, checks what arrives, and acknowledges as a client would: in
// bunches.
type Receiver struct {
	index   uint32
	person  *Person
	node    *Node
	content *Content
	options ReceiverOptions
	socket  *socket

	// Waiting is how many messages wait for a receiver of a Crowd before it comes back.
	Waiting int64

	last     []uint64 // by sender: the highest counter so far
	received atomic.Int64
	doubled  int
	disorder int
	inTime   int
	journeys []time.Duration

	acknowledging  bool
	acknowledged   int64 // how many had been received when it was last acknowledged
	acknowledgment text
	cursor         []byte // of the last message
	counting       func() bool
	closing        atomic.Bool
	ended          chan struct{}
	err            error
}

// ReceiverOptions are what receivers differ in.
type ReceiverOptions struct {
	// AcknowledgeEvery is how many messages are taken before they are acknowledged; 0 for never.
	AcknowledgeEvery int64
	// Buffer is how many bytes are read at once; default 16 KiB.
	Buffer int
	// PerAddress is how many sockets come from one address of loopback, and the next ones from the next; 0 for all from the one that the
	// system takes. An address has some 28,000 ports for one server, and who hangs up leaves one that rests for a minute.
	PerAddress int
	// Arrived gets a signal for each message, if it has room.
	Arrived chan struct{}
}

// AsClients are the options of receivers that behave as a client does.
func AsClients() ReceiverOptions { return ReceiverOptions{AcknowledgeEvery: 100} }

// NewReceivers makes receivers, spread over nodes: the receiver of a number is on the node after the one that the sender of that
// number is on.
func NewReceivers(people []*Person, nodes []*Node, c *Content, senders int, o ReceiverOptions) []*Receiver {
	receivers := make([]*Receiver, len(people))
	for i, p := range people {
		receivers[i] = &Receiver{
			index: uint32(i), person: p, node: nodes[(i+1)%len(nodes)], content: c, options: o,
			last: make([]uint64, senders), ended: make(chan struct{}),
		}
	}
	return receivers
}

// What a client selects: the fields by which it opens an envelope and knows it again.
const (
	envelope     = `{ id cursor messageId senderUserId senderDeviceId kind ciphertext nonce }`
	receiveQuery = `subscription { messageReceived ` + envelope + ` }`
	resumeQuery  = `subscription($after: Cursor) { messageReceived(after: $after) ` + envelope + ` }`
)

const cursorText = 22

// Open connects and subscribes, and reads from then on. The end of ctx closes the socket.
func (r *Receiver) Open(ctx context.Context, counting func() bool) error {
	r.counting = counting
	if err := r.connect(ctx); err != nil {
		return fmt.Errorf("receiver %d: %w", r.index, err)
	}
	go func() {
		defer close(r.ended)
		if err := r.read(); !r.closing.Load() {
			r.err = fmt.Errorf("receiver %d: %w", r.index, err)
		}
	}()
	return nil
}

func (r *Receiver) connect(ctx context.Context) error {
	buffer := r.options.Buffer
	if buffer == 0 {
		buffer = 16 << 10
	}
	socket, err := openSocket(ctx, r.node, r.person, buffer, r.from())
	if err != nil {
		return err
	}
	var body text
	body.fixed(`{"query":"mutation($upTo: Cursor!) { acknowledgeMessages(upTo: $upTo) { removedCount } }","variables":{"upTo":"`)
	body.spot(firstName, cursorText)
	body.fixed(`"}}`)
	if r.acknowledgment, err = socket.wrap(body); err == nil {
		err = socket.say(`{"id":"r","type":"subscribe","payload":` + r.subscription() + `}`)
	}
	if err != nil {
		socket.close()
		return err
	}
	r.socket, r.acknowledging = socket, false
	return nil
}

// from is the address that the socket comes from; nil for any.
func (r *Receiver) from() net.IP {
	if r.options.PerAddress == 0 {
		return nil
	}
	n := int(r.index) / r.options.PerAddress
	return net.IPv4(127, 0, byte(n/250), byte(1+n%250)) //nolint:gosec // they fit
}

// subscription goes on behind what has come on the connection before.
func (r *Receiver) subscription() string {
	if len(r.cursor) == 0 {
		return `{"query":"` + receiveQuery + `"}`
	}
	return `{"query":"` + resumeQuery + `","variables":{"after":"` + string(r.cursor) + `"}}`
}

func (r *Receiver) read() error {
	for {
		message, err := r.socket.read()
		if err == nil {
			err = r.take(message)
		}
		if err != nil {
			return err
		}
	}
}

// Received gives how many messages have arrived, doubles included.
func (r *Receiver) Received() int64 { return r.received.Load() }

// Failed is closed when the receiver reads no more.
func (r *Receiver) Failed() <-chan struct{} { return r.ended }

// Close hangs up and gives the error that ended the subscription before, if there was one.
func (r *Receiver) Close() error {
	if r.socket == nil {
		return nil
	}
	r.closing.Store(true)
	r.socket.close()
	<-r.ended
	return r.err
}

var (
	ciphertextMember = []byte(`"ciphertext":"`)
	nonceMember      = []byte(`"nonce":"`)
	cursorMember     = []byte(`"cursor":"`)
	errorsMember     = []byte(`"errors":`)
)

// take looks at one message of the server. What has a ciphertext is a delivery, and is looked at where it lies.
func (r *Receiver) take(message []byte) error {
	ciphertext, found := member(message, ciphertextMember)
	if !found {
		return r.takeOther(message)
	}
	cursor, found := member(message, cursorMember)
	nonce, has := member(message, nonceMember)
	if !found || !has || bytes.Contains(message, errorsMember) {
		return fmt.Errorf("a delivery that is none: %s", message)
	}
	s, err := readStamp(ciphertext)
	if err != nil {
		return err
	}
	if string(ciphertext[stampText:]) != r.content.tail || !bytes.Equal(nonce, ciphertext[:stampText]) {
		return errors.New("the envelope came back changed")
	}
	if err := r.count(s); err != nil {
		return err
	}
	if r.counting() {
		r.inTime++
		r.journeys = append(r.journeys, r.content.now()-s.at)
	}
	received := r.received.Add(1)
	if r.options.Arrived != nil {
		select {
		case r.options.Arrived <- struct{}{}:
		default:
		}
	}
	r.cursor = append(r.cursor[:0], cursor...)
	if every := r.options.AcknowledgeEvery; every > 0 && received-r.acknowledged >= every && !r.acknowledging {
		return r.acknowledge(received)
	}
	return nil
}

// member gives the text that follows the beginning of a member.
func member(message, begin []byte) ([]byte, bool) {
	at := bytes.Index(message, begin)
	if at < 0 {
		return nil, false
	}
	value := message[at+len(begin):]
	end := bytes.IndexByte(value, '"')
	if end < 0 {
		return nil, false
	}
	return value[:end], true
}

// count takes a counter that was there before for a double, and one that leaves a gap for out of order: what one sender sends goes
// one after the other, and must arrive so.
func (r *Receiver) count(s stamp) error {
	if s.receiver != r.index || int(s.sender) >= len(r.last) {
		return fmt.Errorf("an envelope of sender %d to receiver %d arrived at receiver %d", s.sender, s.receiver, r.index)
	}
	switch expected := r.last[s.sender] + 1; {
	case s.counter < expected:
		r.doubled++
		return nil
	case s.counter > expected:
		r.disorder++
	}
	r.last[s.sender] = s.counter
	return nil
}

// acknowledge sends the cursor of the last message. One acknowledgement is under way at a time; the next covers what came
// meanwhile.
func (r *Receiver) acknowledge(received int64) error {
	if len(r.cursor) != cursorText {
		return fmt.Errorf("a cursor of %d characters", len(r.cursor))
	}
	r.acknowledging, r.acknowledged = true, received
	r.acknowledgment.set(firstName, r.cursor)
	return r.socket.write(r.acknowledgment.bytes)
}

// takeOther looks at a message that is no delivery.
func (r *Receiver) takeOther(message []byte) error {
	f, err := parseFrame(message)
	if err != nil {
		return err
	}
	switch {
	case f.ID == "r" || f.Type == "error":
		return fmt.Errorf("the subscription ended: %s %s", f.Type, f.Payload)
	case f.Type == "next":
		return parseReply(f.Payload, nil)
	case f.Type == "complete":
		r.acknowledging = false
	}
	return nil
}

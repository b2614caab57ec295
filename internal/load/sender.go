package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// way leads to the server, for one request after the other.
type way interface {
	write(request []byte) error
	read() (message []byte, err error)
	close()
	// wrap puts around a request body what the way needs.
	wrap(body text) (text, error)
	// aside tells of a message that is no answer and means nothing.
	aside(message []byte) bool
	// payload gives the GraphQL response in the answer to the operation with an id.
	payload(id, answer []byte) ([]byte, error)
}

// Way is how senders reach the server.
type Way string

// The ways.
const (
	OverSocket Way = "socket" // the device's WebSocket
	OverHTTP   Way = "http"   // a connection that stays
)

// renewal is how long a request with a token in it is used; tokens hold longer.
const renewal = 4 * time.Minute

// Sender makes one call after the other. Envelope i of each goes to the same receiver.
type Sender struct {
	index    uint32
	person   *Person
	over     Way
	shape    Shape
	content  *Content
	way      way
	body     text
	request  text
	wrapped  time.Time
	answers  answers
	names    names
	ids      [][]byte // by variable: the ids of the call under way
	to       []uint32 // by envelope: the receiver's index
	counters []uint64 // by receiver
	stamp    [stampText]byte
	calls    uint64

	envelopes atomic.Int64 // accepted
	took      []time.Duration
}

// NewSender makes a sender that reaches a node on its way. Envelopes go to the receivers in turn, beginning with the one of the sender's
// own index.
func NewSender(ctx context.Context, index int, p *Person, node *Node, way Way, shape Shape, c *Content, receivers []*Receiver) (*Sender, error) {
	if err := shape.validate(len(receivers)); err != nil {
		return nil, err
	}
	names, err := newNames()
	if err != nil {
		return nil, err
	}
	s := &Sender{
		index: uint32(index), person: p, over: way, shape: shape, content: c, names: names, answers: answers{shape: shape}, //nolint:gosec // a count
		to: make([]uint32, shape.Envelopes()),
	}
	to := make([]*Person, shape.Envelopes())
	for i := range to {
		receiver := receivers[(index+i)%len(receivers)]
		s.to[i], to[i] = receiver.index, receiver.person
	}
	s.counters = make([]uint64, slices.Max(s.to)+1)
	s.body = shape.body(c, to)
	s.ids = append(s.ids, make([]byte, operationText))
	for range shape.names() {
		s.ids = append(s.ids, make([]byte, nameText))
	}
	return s, s.Open(ctx, node)
}

// Open has a sender whose connection was closed, or broke, go on at a node.
func (s *Sender) Open(ctx context.Context, node *Node) (err error) {
	s.wrapped = time.Time{}
	if s.over == OverHTTP {
		s.way, err = openConnection(ctx, node, s.person)
	} else {
		s.way, err = openSocket(ctx, node, s.person, 4<<10, nil)
	}
	return err
}

// Envelopes gives how many envelopes were accepted.
func (s *Sender) Envelopes() int64 { return s.envelopes.Load() }

// Send makes one call, waits for its answer, and gives how long it took.
func (s *Sender) Send() (time.Duration, error) {
	started := s.content.now()
	if err := s.call(started); err != nil {
		return 0, fmt.Errorf("sender %d: %w", s.index, err)
	}
	s.envelopes.Add(int64(s.shape.Envelopes()))
	return s.content.now() - started, nil
}

// SendAtLast makes one call, and makes the same again for as long as the server cannot take it now, with pauses between. It is the same
// message then.
func (s *Sender) SendAtLast(ctx context.Context, pause time.Duration) error {
	_, err := s.Send()
	for refused := new(CodeError); errors.As(err, &refused) && refused.Passing() && Pass(ctx, pause) == nil; {
		if err = s.ask(); err == nil {
			s.envelopes.Add(int64(s.shape.Envelopes()))
		}
	}
	return err
}

func (s *Sender) call(started time.Duration) error {
	if err := s.prepare(started); err != nil {
		return err
	}
	return s.ask()
}

// ask makes the call that was prepared.
func (s *Sender) ask() error {
	if err := s.way.write(s.request.bytes); err != nil {
		return err
	}
	for {
		message, err := s.way.read()
		if err != nil {
			return err
		}
		if !s.way.aside(message) {
			return s.answers.check(s.way, message, s.ids)
		}
	}
}

// prepare patches the request.
func (s *Sender) prepare(started time.Duration) error {
	now := s.content.start.Add(started)
	if now.Sub(s.wrapped) > renewal {
		request, err := s.way.wrap(s.body)
		if err != nil {
			return err
		}
		s.request, s.wrapped = request, now
	}
	s.calls++
	writeCount(s.ids[operation], s.calls)
	s.request.set(operation, s.ids[operation])
	for variable := firstName; variable < len(s.ids); variable++ {
		s.names.write(s.ids[variable], now)
		s.request.set(variable, s.ids[variable])
	}
	for i, receiver := range s.to {
		s.counters[receiver]++
		stamp{s.index, receiver, s.counters[receiver], started}.write(s.stamp[:])
		s.request.set(s.shape.firstStamp()+i, s.stamp[:])
	}
	return nil
}

// Close hangs up.
func (s *Sender) Close() { s.way.close() }

// writeCount writes a number in decimal digits over the whole width.
func writeCount(into []byte, n uint64) {
	for i := len(into) - 1; i >= 0; i-- {
		into[i] = '0' + byte(n%10)
		n /= 10
	}
}

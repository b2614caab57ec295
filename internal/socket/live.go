package socket

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/stream"
)

// state says who looks after an operation. A goroutine that waits for the next event would cost more than all else that a
// subscription keeps, so that a source has one only while it has something to say, and room to say it. Each has its own, and
// not the socket's writer, because asking a source may read the store: answers and pings of the same socket pass by it.
type state int

const (
	idle    state = iota // nobody: the source has said that there is nothing
	working              // a goroutine
	asked                // a goroutine, which has to ask the source once more
	waiting              // the writer, who has it asked again when there is room
)

// stackOfAsking is what a source needs to say what it has at hand, beside what Go begins a stack with.
const stackOfAsking = 2 << 10

// open begins to serve a subscription by its source. It is false if the executor has to serve it.
func (o *operation) open(ctx context.Context, op *graphql.OperationContext) bool {
	c := o.conn
	if c.sockets.options.Live == nil {
		return false
	}
	source, err := c.sockets.openSource(ctx, op, o.ready)
	if err != nil {
		o.refuse(gqlerror.List{c.present(ctx, err)})
		o.rest()
		return true
	}
	if source == nil {
		return false
	}
	c.mu.Lock()
	o.source = source
	c.mu.Unlock()
	o.ask()
	return true
}

// openSource opens a subscription's source, when it is its turn.
func (s *Sockets) openSource(ctx context.Context, op *graphql.OperationContext, ready func()) (stream.Source, error) {
	if !s.gate.enter(ctx, subscribing) {
		return nil, s.gate.refusal()
	}
	defer s.gate.leave()
	return s.options.Live.Open(ctx, op, ready)
}

// refuse is all that is said of a subscription whose source could not be opened: what the executor says of one whose resolver
// has failed. It waits for room, as fail does.
func (o *operation) refuse(errs gqlerror.List) {
	o.conn.await(o.ctx, o.conn.hasRoom)
	b := o.conn.sockets.buffers.get()
	o.appendResponse(b, &graphql.Response{Errors: errs, Data: json.RawMessage("null")})
	o.appendComplete(b)
	o.say(b, true)
	o.conn.startFlush()
}

// ready has the source asked.
func (o *operation) ready() {
	o.conn.mu.Lock()
	defer o.conn.mu.Unlock()
	switch {
	case o.over:
	case o.state == working:
		o.state = asked
	case o.state == idle:
		o.start()
	}
}

// start has a goroutine ask the source. conn.mu is held.
func (o *operation) start() {
	o.state = working
	o.conn.working.Add(1)
	go func() {
		defer o.conn.working.Done()
		defer o.rescue()
		growStackToAsk(len(o.id))
		o.ask()
	}()
}

// growStackToAsk is growStack for what asks a source.
//
//go:noinline
func growStackToAsk(at int) byte {
	var room [stackOfAsking]byte
	return room[at%len(room)]
}

// ask sends what the source has, for as long as there is room.
func (o *operation) ask() {
	more := true
	for source := o.turn(more); source != nil; source = o.turn(more) {
		b := o.conn.sockets.buffers.get()
		var err error
		more, err = o.fill(b, source)
		if err != nil && o.ctx.Err() == nil {
			o.appendError(b, gqlerror.List{o.conn.present(o.ctx, err)})
		}
		o.say(b, err != nil)
		o.conn.flush()
	}
	o.conn.mu.Lock()
	over := o.over
	o.conn.mu.Unlock()
	if over { // Who has ended it may have done so before there was a source to close.
		o.release()
	}
}

// turn gives the source if it is to be asked: it may have more, and there is room. Otherwise who asks has to leave.
func (o *operation) turn(more bool) stream.Source {
	c := o.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	switch more = more || o.state == asked; {
	case o.over, c.closing:
		o.state = idle
		o.settle()
		return nil
	case !more:
		o.state = idle
		o.renew()
		return nil
	case !c.hasRoom():
		o.state = waiting
		c.parked = append(c.parked, o)
		return nil
	default:
		o.state = working
		return o.source
	}
}

// renew gives an operation that idles for the first time a new context. Those who read the store have hung theirs onto the one it
// began with, which then keeps 400 bytes for others that might. conn.mu is held, and nobody works for the operation.
func (o *operation) renew() {
	if o.renewed {
		return
	}
	o.renewed = true
	o.cancel()
	o.ctx, o.cancel = context.WithCancel(o.conn.ctx)
}

// unpark has the sources asked that wait for room. conn.mu is held.
func (c *conn) unpark() {
	if c.queue.bytes > maxQueued/2 {
		return
	}
	parked := c.parked
	c.parked = nil
	for _, o := range parked {
		if !o.over {
			o.start()
		}
	}
}

// leave has an operation that is over wait for room no more: a client that takes nothing could end as many as it likes. conn.mu is held.
func (o *operation) leave() {
	if o.state != waiting {
		return
	}
	if i := slices.Index(o.conn.parked, o); i >= 0 {
		o.conn.parked = slices.Delete(o.conn.parked, i, i+1)
	}
}

// fill appends responses until there are none, or enough for now.
func (o *operation) fill(b *buffer, source stream.Source) (more bool, err error) {
	for len(b.data) < maxBatch {
		mark := o.begin(b)
		data, ok, err := source.Append(o.ctx, b.data)
		if !ok || err != nil {
			b.data = b.data[:mark]
			return false, err
		}
		b.data = append(data, '}')
		b.seal(mark)
	}
	return true, nil
}

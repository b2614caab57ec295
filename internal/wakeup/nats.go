package wakeup

import (
	"context"
	"encoding/base64"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/time/rate"

	"github.com/letterlock/letterlock/identity"
)

// maxHeard is how many frames from other nodes may wait for their listeners. What is beyond is dropped by nats.go.
const maxHeard = 4096

// NATS is the hub of one node among several. The listeners of this node are called as Local calls them; the other nodes are
// told by way of NATS core, which keeps nothing, sends a hint only to nodes that listen for its device, and drops the rest.
type NATS[M any] struct {
	local  *Local[M]
	codec  Codec[M]
	log    *slog.Logger
	prefix string

	conn    *nats.Conn
	outbox  *outbox[M]
	heard   chan *nats.Msg
	removed *nats.Subscription
	stop    chan struct{}
	stopped sync.Once
	sending sync.WaitGroup
	hearing sync.WaitGroup
	// subscribed belongs to the sender.
	subscribed map[identity.DeviceID]*nats.Subscription

	sent, received, dropped, damaged atomic.Uint64
	complain                         rate.Sometimes
}

var _ Node[struct{}] = (*NATS[struct{}])(nil)

// Stats counts since the start.
type Stats struct {
	// Sent and Received are frames, which hold a hint or more.
	Sent, Received uint64
	// Dropped are hints that other nodes were not told, because NATS was away or too slow.
	Dropped uint64
	// Damaged are frames of others that could not be read.
	Damaged uint64
	// Connected says whether NATS is there now.
	Connected bool
}

// NewNATS makes a hub over NATS. It works without NATS, too, for the listeners of this node, and connects again and again.
// An error is one of the options.
func NewNATS[M any](options NATSOptions, codec Codec[M]) (*NATS[M], error) {
	n := &NATS[M]{
		local: NewLocal[M](), codec: codec, log: options.Log, prefix: subjectPrefix(options.Store),
		outbox: newOutbox(codec), heard: make(chan *nats.Msg, maxHeard), stop: make(chan struct{}),
		subscribed: make(map[identity.DeviceID]*nats.Subscription),
		complain:   rate.Sometimes{First: 1, Interval: time.Minute},
	}
	var err error
	if n.conn, err = options.connect(); err != nil {
		return nil, err
	}
	if n.removed, err = n.conn.ChanSubscribe(n.prefix+removedSubject, n.heard); err != nil {
		n.conn.Close()
		return nil, err
	}
	n.sending.Go(n.send)
	n.hearing.Go(n.hear)
	return n, nil
}

// Notify calls the listeners of this node and has other nodes told.
func (n *NATS[M]) Notify(hints ...Hint[M]) {
	n.local.Notify(hints...)
	n.outbox.add(hints)
}

// Listen adds a listener. The other nodes find out a moment later: until then their hints do not reach it.
func (n *NATS[M]) Listen(device identity.DeviceID, listener func(Hint[M])) (stop func()) {
	stopLocal := n.local.Listen(device, listener)
	n.outbox.note(device)
	return func() {
		stopLocal()
		n.outbox.note(device)
	}
}

// ListenRemoved adds a listener to all removals.
func (n *NATS[M]) ListenRemoved(listener func(identity.DeviceID)) (stop func()) {
	return n.local.ListenRemoved(listener)
}

// Stats gives the counts.
func (n *NATS[M]) Stats() Stats {
	return Stats{
		Sent: n.sent.Load(), Received: n.received.Load(), Dropped: n.dropped.Load(), Damaged: n.damaged.Load(),
		Connected: n.conn.IsConnected(),
	}
}

// Close sends what waits, for as long as ctx holds, and ends the connection. No goroutine of the hub is left.
func (n *NATS[M]) Close(ctx context.Context) {
	n.stopped.Do(func() {
		n.outbox.close()
		n.drain(ctx)
		n.conn.Close()
		n.sending.Wait()
		close(n.stop)
		n.hearing.Wait()
	})
}

// drain waits until NATS has all that was sent. Where there is no NATS there is nothing to wait for, and what is lost is
// lost as any hint may be.
func (n *NATS[M]) drain(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.sending.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		return
	}
	if n.conn.IsConnected() {
		ctx, cancel := context.WithTimeout(ctx, natsWrite)
		defer cancel()
		_ = n.conn.FlushWithContext(ctx)
	}
}

// send is the sender: it alone writes to NATS, which may be slow.
func (n *NATS[M]) send() {
	var done round
	for {
		<-n.outbox.ready
		next, dropped, over := n.outbox.take(done)
		n.drop(dropped)
		n.follow(next.interest)
		n.publish(&next)
		for _, flushed := range next.flushed {
			close(flushed)
		}
		if over {
			return
		}
		done = next
	}
}

// follow has NATS send what is about devices that have listeners here, and no more what is not.
func (n *NATS[M]) follow(devices map[identity.DeviceID]struct{}) {
	for device := range devices {
		sub, follows := n.subscribed[device]
		switch wanted := n.local.listens(device); {
		case wanted && !follows:
			sub, err := n.conn.ChanSubscribe(n.subject(device), n.heard)
			if err != nil {
				n.trouble("cannot listen for wake-ups from other nodes", err)
				continue
			}
			n.subscribed[device] = sub
		case !wanted && follows:
			delete(n.subscribed, device)
			_ = sub.Unsubscribe() // fails where the connection has ended, and the subscription with it
		}
	}
}

func (n *NATS[M]) publish(r *round) {
	for i := range r.frames {
		n.publishFrame(n.subject(r.frames[i].device), r.frames[i].body)
	}
	for rest := r.removed; len(rest) > 0; {
		count := min(len(rest), maxRemoved)
		n.publishFrame(n.prefix+removedSubject, removedFrame(rest[:count]))
		rest = rest[count:]
	}
}

// publishFrame sends a frame, or drops it while there is no connection.
func (n *NATS[M]) publishFrame(subject string, frame []byte) {
	if err := n.conn.Publish(subject, frame); err != nil {
		n.drop(1)
		return
	}
	n.sent.Add(1)
}

func (n *NATS[M]) drop(hints uint64) {
	if hints == 0 {
		return
	}
	total := n.dropped.Add(hints)
	if n.conn.IsConnected() {
		n.complain.Do(func() {
			n.log.Warn("NATS is too slow: other nodes find messages when they look again", "droppedHints", total)
		})
	}
}

// hear hands over what other nodes tell, until the hub is closed.
func (n *NATS[M]) hear() {
	var hints []Hint[M]
	for {
		select {
		case m := <-n.heard:
			hints = n.take(m, hints[:0])
		case <-n.stop:
			return
		}
	}
}

// take reads one frame and gives back the memory of hints.
func (n *NATS[M]) take(m *nats.Msg, hints []Hint[M]) []Hint[M] {
	n.received.Add(1)
	read, err := n.read(m, hints)
	if err != nil {
		n.damaged.Add(1)
		n.trouble("a wake-up from another node cannot be read", err)
		return hints
	}
	n.local.Notify(read...)
	clear(read) // listeners have what they want of the messages
	return read
}

func (n *NATS[M]) read(m *nats.Msg, hints []Hint[M]) ([]Hint[M], error) {
	name := m.Subject[len(n.prefix):]
	if name == removedSubject {
		return readRemoved(hints, m.Data)
	}
	var device identity.DeviceID
	if base64.RawURLEncoding.DecodedLen(len(name)) != deviceLength {
		return nil, errFrame
	}
	if _, err := base64.RawURLEncoding.Decode(device[:], []byte(name)); err != nil {
		return nil, errFrame
	}
	return readFrame(hints, device, m.Data, n.codec)
}

// trouble logs one of many, once a minute.
func (n *NATS[M]) trouble(what string, err error) {
	n.complain.Do(func() { n.log.Warn(what, "error", err) }) //nolint:sloglint // one of two constants
}

// subject is what hints about a device are published on.
func (n *NATS[M]) subject(device identity.DeviceID) string {
	return n.prefix + base64.RawURLEncoding.EncodeToString(device[:])
}

package socket

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
)

// conn is one WebSocket of the subprotocol graphql-transport-ws. One goroutine reads (serve). Who has something to say puts it
// into the queue and, if nobody writes at the moment, writes until the queue is empty (flush): while there is nothing to say
// nobody waits for it, and no buffer is held.
type conn struct {
	ownership
	sockets *Sockets
	exec    graphql.GraphExecutor
	ws      *websocket.Conn
	reader  *bufio.Reader // the one that ws reads by
	network net.Conn
	piece   int             // what is written at once
	ctx     context.Context // the operations' are made of it. The reader's; Init adds who calls
	working sync.WaitGroup  // operations, and what writes
	left    chan struct{}

	seen   atomic.Int64 // when the peer last showed itself, in ns since 1970
	initBy time.Time
	lookAt time.Time // the sweeper's, as is place
	place  int

	mu         sync.Mutex
	inited     bool
	closing    bool // a close frame is queued, or nobody is there to take one
	writing    bool
	operations []*operation
	running    int          // operations, and what is left of those that the client has completed
	busyAt     int64        // when an operation ran, as far as was looked, in ns since 1970; see isIdle
	parked     []*operation // whose sources wait for room
	queue      queue
	writeBy    time.Time     // the deadline of writes, which the writer puts off
	changed    chan struct{} // closed when something changes that await waits for; nil if nobody waits
	afterCode  int           // to close with after the next last word of an operation
	afterWhy   string
}

func newConn(s *Sockets, ws *websocket.Conn, w *wire, exec graphql.GraphExecutor) *conn {
	now := time.Now()
	c := &conn{
		sockets: s, exec: s.options.Guard.Over(exec, true), ws: ws, reader: w.reader, network: w.Conn,
		left: make(chan struct{}), initBy: now.Add(s.options.InitTimeout), place: -1, piece: math.MaxInt, busyAt: now.UnixNano(),
	}
	if _, secure := w.Conn.(*tls.Conn); secure {
		c.piece = tlsPiece
	}
	c.ctx = context.WithValue(context.Background(), key{}, member(c))
	// Many sockets open at once after a restart. Their pings spread over the interval.
	c.lookAt = earlier(c.initBy, now.Add(rand.N(s.options.PingInterval)+1)) //nolint:gosec // nobody gains by guessing it
	w.conn = c
	ws.SetReadLimit(min(maxAnonymous, s.options.MaxBytes))
	ws.SetPongHandler(func(string) error {
		c.alive()
		return nil
	})
	ws.SetPingHandler(func(data string) error {
		c.alive()
		c.control(websocket.PongMessage, data)
		return nil
	})
	ws.SetCloseHandler(func(code int, _ string) error {
		c.endWith(websocket.FormatCloseMessage(code, ""))
		return nil
	})
	return c
}

// serve reads one message. Then a new goroutine reads on, and this one does what the message asks for: who waits for messages has
// called nothing that takes more stack than a goroutine begins with, 2 KiB of which it takes half. That is what an idle socket
// costs most, so that this is as small as it can be.
func (c *conn) serve() {
	// Go begins goroutines with more if on average more is in use. Here less is than in NextReader, which sees the same error.
	_, _ = c.reader.Peek(1)
	kind, r, err := c.ws.NextReader()
	if kind != websocket.TextMessage {
		r = nil
	}
	if err != nil {
		c.finish(err)
		return
	}
	c.take(r)
}

// take does what a message asks for, and has the next one read. Without r it was a binary one.
//
//go:noinline
func (c *conn) take(r io.Reader) {
	if c.isClosing() { // The client has not seen our close frame yet.
		go c.serve()
		return
	}
	if r == nil {
		c.end(CloseUnsupported, "binary frames are not understood: send text")
		go c.serve()
		return
	}
	text := c.sockets.buffers.get()
	if err := text.readFrom(r); err != nil {
		c.sockets.buffers.put(text)
		c.finish(err)
		return
	}
	c.alive()
	if c.sockets.expire(c) {
		c.sockets.buffers.put(text)
		go c.serve()
		return
	}
	m, no := parse(text.data)
	var o *operation
	if no.code == 0 {
		o, no = c.receive(m)
	}
	if no.code != 0 {
		c.end(no.code, no.reason)
	}
	go c.serve()
	if o == nil {
		c.sockets.buffers.put(text)
		return
	}
	o.run(m.payload, text)
}

// reply says something that is of no operation. It is for the reader, who waits until there is room: a client that only asks and
// never reads is not read any more.
func (c *conn) reply(text string) {
	b := c.sockets.buffers.get()
	mark := b.open()
	b.data = append(b.data, text...)
	b.seal(mark)
	c.await(context.Background(), c.hasRoom)
	c.mu.Lock()
	c.push(b)
	c.mu.Unlock()
	c.startFlush()
}

// control sends a ping or pong.
func (c *conn) control(kind byte, payload string) {
	b := c.sockets.buffers.get()
	b.control(kind, []byte(payload))
	if kind == websocket.PongMessage {
		c.await(context.Background(), c.hasRoom)
	}
	c.mu.Lock()
	c.push(b)
	c.mu.Unlock()
	c.startFlush()
}

// alive notes that the peer has shown itself.
func (c *conn) alive() { c.seen.Store(time.Now().UnixNano()) }

// look is the sweeper's: it ends a socket that shows no life, and has others show some. It gives when to look again.
func (c *conn) look(now time.Time) time.Time {
	interval := c.sockets.options.PingInterval
	c.mu.Lock()
	closing, inited := c.closing, c.inited
	c.mu.Unlock()
	switch {
	case closing: // has a deadline of its own
	case !inited && now.Before(c.initBy):
		return earlier(c.initBy, now.Add(interval))
	case !inited:
		c.end(CloseInitTimeout, "Connection initialisation timeout")
	case now.Sub(time.Unix(0, c.seen.Load())) >= interval*5/2:
		c.end(CloseGone, "no sign of life")
	case c.sockets.expire(c):
	case c.isIdle(now):
		c.end(CloseIdle, idleReason)
	default:
		c.control(websocket.PingMessage, "")
	}
	return now.Add(interval)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// own makes the socket a device's. Only Init may call it, while the reader waits.
func (c *conn) own(device string) {
	c.sockets.own(c, device)
	c.ws.SetReadLimit(c.sockets.options.MaxBytes)
}

func (c *conn) endAfterReply(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.afterCode, c.afterWhy = code, reason
}

// end queues a close frame, once. Nothing follows it.
func (c *conn) end(code int, reason string) { c.endWith(closeFrame(code, reason)) }

func (c *conn) endWith(payload []byte) {
	c.mu.Lock()
	c.close(payload)
	c.mu.Unlock()
	c.startFlush()
}

// close is endWith for those who hold c.mu, and flush.
func (c *conn) close(payload []byte) {
	if c.closing {
		return
	}
	b := c.sockets.buffers.get()
	b.control(websocket.CloseMessage, payload)
	c.push(b)
	c.closing = true
	c.notify()
}

func (c *conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// cut hangs up, at once: TLS would say so first, for which it waits five seconds where the client takes nothing. Who calls this may hold
// c.mu, for which the sweeper waits, and all sockets for the sweeper.
func (c *conn) cut() {
	if secure, ok := c.network.(*tls.Conn); ok {
		_ = secure.NetConn().Close()
		return
	}
	_ = c.network.Close()
}

func (c *conn) ended() <-chan struct{} { return c.left }

// finish ends what still runs and, if the peer is still there, waits until it has seen our close frame.
func (c *conn) finish(err error) {
	c.sockets.remove(c)
	c.sockets.sweeper.remove(c)
	c.mu.Lock()
	if !c.closing { // The network has failed.
		c.closing = true
		_ = c.network.SetReadDeadline(time.Now().Add(grace))
		c.notify()
	}
	c.mu.Unlock()
	c.dropAll()
	c.startFlush()
	c.await(context.Background(), func() bool { return !c.writing && c.queue.empty() })
	if !closedByPeer(err) && !c.awaitClose() {
		_, _ = io.CopyN(io.Discard, c.network, maxDrained)
	}
	_ = c.network.Close()
	c.working.Wait()
	close(c.left)
}

// awaitClose reads until the client has answered the close frame: clients wait for the server to hang up then. It gives up,
// false, when the rest can't be read as frames. The deadline for it was set when the close frame was written.
func (c *conn) awaitClose() bool {
	for {
		if _, _, err := c.ws.NextReader(); err != nil {
			return closedByPeer(err)
		}
	}
}

func closedByPeer(err error) bool {
	var closed *websocket.CloseError
	return errors.As(err, &closed)
}

package socket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"
)

// legacyConn is one WebSocket of the legacy subprotocol, as gqlgen wants it: transport.WebsocketConn.
type legacyConn struct {
	ownership
	sockets  *Sockets
	ws       *websocket.Conn
	protocol *legacyProtocol
	done     chan struct{}
	finished chan struct{}
	named    uint64 // ping's, as is busyAt: what isIdle has seen
	busyAt   time.Time

	writing sync.Mutex

	mu        sync.Mutex
	closing   bool
	closeBy   time.Time // when to stop waiting for the client's close frame
	afterCode int       // to close with after the next last word of an operation
	afterWhy  string
}

func newLegacyConn(s *Sockets, ws *websocket.Conn) *legacyConn {
	return &legacyConn{
		sockets: s, ws: ws,
		protocol: newLegacyProtocol(s.options.MaxOperations),
		done:     make(chan struct{}),
		finished: make(chan struct{}),
	}
}

// start sets bounds and begins to ping.
func (c *legacyConn) start() {
	c.ws.SetReadLimit(min(maxAnonymous, c.sockets.options.MaxBytes))
	_ = c.ws.SetReadDeadline(time.Now().Add(c.sockets.options.InitTimeout))
	c.ws.SetPongHandler(func(string) error {
		c.alive()
		return nil
	})
	answer := c.ws.PingHandler()
	c.ws.SetPingHandler(func(data string) error {
		c.alive()
		return answer(data)
	})
	go c.ping()
}

// alive puts the read deadline off: the peer has shown itself. Before connection_init nothing does.
func (c *legacyConn) alive() {
	if !c.protocol.initialised() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		_ = c.ws.SetReadDeadline(time.Now().Add(c.sockets.options.PingInterval * 5 / 2))
	}
}

func (c *legacyConn) ping() {
	tick := time.NewTicker(c.sockets.options.PingInterval)
	defer tick.Stop()
	for {
		select {
		case <-c.done:
			return
		case now := <-tick.C:
			if c.sockets.expire(c) {
				return
			}
			if c.isIdle(now) {
				c.end(CloseIdle, idleReason)
				return
			}
			if c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.sockets.options.WriteTimeout)) != nil {
				_ = c.ws.Close()
				return
			}
		}
	}
}

// Subprotocol gives the subprotocol that was agreed on.
func (c *legacyConn) Subprotocol() string { return c.ws.Subprotocol() }

// NextReader gives the next message that gqlgen is to see.
func (c *legacyConn) NextReader() (int, io.Reader, error) {
	for {
		data, err := c.read()
		if err != nil {
			return 0, nil, err
		}
		if c.sockets.expire(c) || c.isClosing() {
			continue // The client has not seen our close frame yet.
		}
		v := c.protocol.incoming(data)
		c.alive()
		switch {
		case v.code != 0:
			c.end(v.code, v.reason)
			continue
		case v.answer != nil:
			c.answer(v.answer)
		}
		if v.data != nil {
			data = v.data
		}
		if !v.drop {
			return websocket.TextMessage, bytes.NewReader(data), nil
		}
	}
}

// answer sends what gqlgen is not asked for.
func (c *legacyConn) answer(m *answer) {
	if m.problem != nil {
		m.Payload = c.sockets.options.Present.Present(context.Background(), m.problem)
	}
	if data, err := json.Marshal(m); err == nil {
		_ = c.write(data) // A client that does not take it is cut off there.
	}
}

// read reads one text message whole; the read limit bounds it.
func (c *legacyConn) read() ([]byte, error) {
	kind, r, err := c.ws.NextReader()
	var data []byte
	if err == nil {
		data, err = io.ReadAll(r)
	}
	if err != nil {
		return nil, c.readFailed(err)
	}
	if kind != websocket.TextMessage {
		c.end(CloseUnsupported, "binary frames are not understood: send text")
	}
	return data, nil
}

func (c *legacyConn) readFailed(err error) error {
	switch {
	case !timedOut(err):
		// The peer has closed, or broke the rules of frames or sizes, and gorilla has sent the close frame for that.
		c.mu.Lock()
		c.closing, c.closeBy = true, time.Now().Add(grace)
		c.mu.Unlock()
	case !c.protocol.initialised():
		c.end(CloseInitTimeout, "Connection initialisation timeout")
	default:
		c.end(CloseGone, "no sign of life")
	}
	return readEnd(err)
}

// WriteJSON sends what gqlgen says to the client.
func (c *legacyConn) WriteJSON(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.sockets.expire(c)
	out, last := c.protocol.outgoing(data)
	if out != nil {
		if err = c.write(out); err != nil {
			return readEnd(err)
		}
	}
	if last {
		c.endIfDue()
	}
	return nil
}

// write sends one text message within its deadline. A client that does not take it is cut off.
func (c *legacyConn) write(data []byte) error {
	if c.isClosing() {
		return nil // Nothing follows a close frame.
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.ws.SetWriteDeadline(time.Now().Add(c.sockets.options.WriteTimeout))
	err := c.ws.WriteMessage(websocket.TextMessage, data)
	if err != nil && !c.isClosing() {
		if timedOut(err) {
			c.sockets.traffic.slow.Add(1)
		}
		_ = c.ws.Close()
	}
	return err
}

// WriteClose is how gqlgen ends a socket.
func (c *legacyConn) WriteClose(code int, reason string) error {
	c.end(closeCode(code), reason)
	return nil
}

// Close lets the read loop end. The connection itself is closed by finish.
func (c *legacyConn) Close() error {
	c.end(CloseNormal, "")
	return nil
}

// end sends a close frame, once, and gives the client a moment to answer it.
func (c *legacyConn) end(code int, reason string) {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	closeBy := time.Now().Add(grace)
	c.closing, c.closeBy = true, closeBy
	c.mu.Unlock()
	deadline := time.Now().Add(c.sockets.options.WriteTimeout)
	if c.ws.WriteControl(websocket.CloseMessage, closeFrame(code, reason), deadline) != nil {
		_ = c.ws.Close()
		return
	}
	_ = c.ws.SetReadDeadline(closeBy)
}

func (c *legacyConn) endAfterReply(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.afterCode, c.afterWhy = code, reason
}

func (c *legacyConn) endIfDue() {
	c.mu.Lock()
	code, reason := c.afterCode, c.afterWhy
	c.mu.Unlock()
	if code != 0 {
		c.end(code, reason)
	}
}

func (c *legacyConn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// cut closes the network at once.
func (c *legacyConn) cut() { _ = c.ws.Close() }

func (c *legacyConn) ended() <-chan struct{} { return c.finished }

func (c *legacyConn) own(device string) {
	c.sockets.own(c, device)
	c.ws.SetReadLimit(c.sockets.options.MaxBytes)
}

// finish closes the connection for good, whatever gqlgen has left undone.
func (c *legacyConn) finish() {
	c.sockets.remove(c)
	c.end(CloseDefect, "the server has a defect here")
	// Read on until the client has closed, so that our close frame reaches it.
	network := c.ws.NetConn()
	c.mu.Lock()
	_ = network.SetReadDeadline(c.closeBy)
	c.mu.Unlock()
	if !c.awaitClose() {
		_, _ = io.CopyN(io.Discard, network, maxDrained)
	}
	_ = c.ws.Close()
	close(c.done)
	close(c.finished)
}

// awaitClose reads until the client has answered the close frame: clients wait for the server to hang up then. It gives up,
// false, when the rest can't be read as frames.
func (c *legacyConn) awaitClose() bool {
	for {
		if _, _, err := c.ws.NextReader(); err != nil {
			var closed *websocket.CloseError
			return errors.As(err, &closed)
		}
	}
}

var _ transport.WebsocketConn = (*legacyConn)(nil)

package socket_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/socket"
)

// narrow is what the network is to keep of a connection in these tests; it keeps some more.
const narrow = 32 << 10

// newSecureRig is a rig that speaks TLS, with little room in the network, and a socket at it.
func newSecureRig(t *testing.T, writeTimeout time.Duration) (*rig, *client) {
	t.Helper()
	pool := x509.NewCertPool()
	r := newRigOn(t, func(o *socket.Options) { o.WriteTimeout = writeTimeout }, func(s *httptest.Server) {
		s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			if secure, ok := c.(*tls.Conn); ok {
				c = secure.NetConn()
			}
			if err := c.(*net.TCPConn).SetWriteBuffer(narrow); err != nil { //nolint:forcetypeassert // it is what the server listens for
				t.Error(err)
			}
			return ctx
		}
		s.StartTLS()
		pool.AddCert(s.Certificate())
	})
	dialer := websocket.Dialer{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return conn, conn.(*net.TCPConn).SetReadBuffer(narrow) //nolint:forcetypeassert // it was asked for
		},
	}
	return r, r.dialBy(t, dialer, "wss")
}

// Over TLS, too, a client that reads slowly gets a message that takes longer than a write may go on without progress.
func TestSlowReaderOverTLS(t *testing.T) {
	const size = 1_000_000
	r, c := newSecureRig(t, time.Second)
	s := r.subscribe(c, "1")
	s.set(func() { s.numbered, s.padding, s.waiting = true, strings.Repeat(" ", size), 1 })
	_ = c.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	_, message, err := c.conn.NextReader()
	read, piece := 0, make([]byte, narrow)
	for err == nil {
		var n int
		n, err = message.Read(piece)
		read += n
		time.Sleep(time.Duration(n) * 2500 * time.Nanosecond) // 400 kB a second
	}
	if slow := r.sockets.Slow(); read < size || slow != 0 {
		t.Errorf("%d of %d bytes came, then %v; %d sockets were too slow, it is said", read, size, err, slow)
	}
}

// A client that takes nothing is cut off, and counted once.
func TestReaderThatStopsOverTLS(t *testing.T) {
	r, c := newSecureRig(t, 400*time.Millisecond)
	s := r.subscribe(c, "1")
	s.set(func() { s.numbered, s.padding, s.endless = true, strings.Repeat(" ", 1000), true })
	wantClosed(t, s)
	waitFor(t, "the socket to be cut off", func() bool { return r.sockets.Open() == 0 })
	wantGivenUp(t, r)
}

// stuckListener accepts connections that can be made to take nothing.
type stuckListener struct {
	net.Listener
	accepted chan *stuckConn
}

// Accept gives the next connection.
func (l stuckListener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := &stuckConn{Conn: inner, waits: make(chan struct{}), gone: make(chan struct{})}
	l.accepted <- conn
	return conn, nil
}

// stuckConn is a connection of which, once it is stuck, one write fails at its deadline and the next one waits for it.
type stuckConn struct {
	net.Conn
	stuck, failed atomic.Bool
	waits, gone   chan struct{} // closed when a write waits, and when the connection is closed
	closing       sync.Once
}

// Write writes while it can.
func (c *stuckConn) Write(p []byte) (int, error) {
	switch {
	case !c.stuck.Load():
		return c.Conn.Write(p)
	case c.failed.CompareAndSwap(false, true):
		return 0, os.ErrDeadlineExceeded
	default:
		close(c.waits)
		<-c.gone
		return 0, net.ErrClosed
	}
}

// Close ends a write that waits.
func (c *stuckConn) Close() error {
	c.closing.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

// TLS says that it closes, and waits for a client that takes nothing. Nobody else waits for that: not who looks at all sockets.
func TestNobodyWaitsForAReaderThatStopsOverTLS(t *testing.T) {
	pool, accepted := x509.NewCertPool(), make(chan *stuckConn, 1)
	r := newRigOn(t, nil, func(s *httptest.Server) {
		s.Listener = stuckListener{s.Listener, accepted}
		s.StartTLS()
		pool.AddCert(s.Certificate())
	})
	c := r.dialBy(t, websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}, "wss")
	network := <-accepted
	network.stuck.Store(true)
	r.subscribe(c, "1").put(1)
	select {
	case <-network.waits:
	case <-network.gone:
	}
	shed := make(chan struct{})
	go func() {
		defer close(shed)
		r.sockets.Shed(1)
	}()
	select {
	case <-shed:
	case <-time.After(10 * time.Second):
		t.Error("who looks at all sockets waits for one that nobody reads from")
		_ = network.Close()
	}
	waitFor(t, "the socket to be cut off", func() bool { return r.sockets.Open() == 0 })
	_ = network.Close()
}

package socket_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"strings"
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

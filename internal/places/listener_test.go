package places_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/places"
)

// listen accepts connections and keeps them open. They count for the addresses in from, one after the other.
func listen(t *testing.T, options places.Options, from ...string) (dial func() net.Conn, accepted chan net.Conn) {
	t.Helper()
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := places.Listener(inner, places.New(options), func(net.Conn) netip.Addr {
		next := from[0]
		from = from[1:]
		return netip.MustParseAddr(next)
	})
	accepted = make(chan net.Conn, len(from))
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
	})
	return func() net.Conn {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}, accepted
}

// hungUp waits until the server has closed a connection.
func hungUp(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection too many: %v", err)
	}
}

const one, other = "198.51.100.1", "198.51.100.2"

func TestConnectionsOfAnAddressAreBounded(t *testing.T) {
	met := make(chan string, 4)
	dial, accepted := listen(t, places.Options{MostOfAddress: 1, Limited: func(limit string, _ bool) { met <- limit }},
		one, one, other, one)
	dial()
	first := <-accepted
	hungUp(t, dial())
	if limit := places.OfConnections(<-met); limit != places.LimitConnectionsOfAddress {
		t.Errorf("the limit met is %q", limit)
	}
	dial()
	<-accepted
	for range 2 { // A second time gives nothing more back.
		_ = first.Close()
	}
	dial()
	<-accepted
}

func TestConnectionsAreBoundedInAll(t *testing.T) {
	dial, accepted := listen(t, places.Options{Most: 2}, one, "127.0.0.1", other, other)
	dial()
	first := <-accepted
	dial()
	<-accepted
	hungUp(t, dial())
	_ = first.Close()
	dial()
	<-accepted
}

// net/http ends the writing half of a connection first, so that its last answer reaches a client who still writes.
func TestConnectionsWithAPlaceCloseByHalves(t *testing.T) {
	dial, accepted := listen(t, places.Options{}, one)
	client := dial()
	served := <-accepted
	defer func() { _ = served.Close() }()
	half, ok := served.(interface{ CloseWrite() error })
	if !ok {
		t.Fatal("it can't")
	}
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the client reads %v", err)
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Errorf("and writes: %v", err)
	}
}

package places

import (
	"net"
	"net/netip"
	"sync/atomic"
)

// Listener accepts connections for which there are places, and hangs up on others: nothing can be said to them before TLS, and who is let
// wait keeps the next ones waiting, too. address gives whom a connection counts for. The inner listener is one for TCP.
func Listener(inner net.Listener, places *Places, address func(net.Conn) netip.Addr) net.Listener {
	return &listener{inner, places, address}
}

type listener struct {
	net.Listener
	places  *Places
	address func(net.Conn) netip.Addr
}

// Accept gives the next connection that has a place.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := l.address(conn)
		tcp, ok := conn.(*net.TCPConn)
		if !ok || l.places.Take(from) != nil {
			_ = conn.Close() // Who is refused needs no more.
			continue
		}
		return &placed{TCPConn: tcp, places: l.places, from: from}, nil
	}
}

// placed is a connection with a place. It is all that one of TCP is: net/http closes the writing half first where the client still writes.
type placed struct {
	*net.TCPConn
	places *Places
	from   netip.Addr
	left   atomic.Bool
}

// Close gives the place back.
func (p *placed) Close() error {
	if !p.left.Swap(true) {
		p.places.Leave(p.from)
	}
	return p.TCPConn.Close()
}

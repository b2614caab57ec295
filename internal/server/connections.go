package server

import (
	"net"
	"net/netip"

	"github.com/letterlock/letterlock/internal/places"
)

// connectionsPerSocket is how many connections an address may have for each socket: more, so that who has too many sockets is still told
// so.
const connectionsPerSocket = 2

// bounded accepts no more connections than there may be, in all and of one address.
func (s *Server) bounded(l net.Listener, most int) net.Listener {
	limits := s.config.Limits
	return places.Listener(l, places.New(places.Options{
		Most: most, MostOfAddress: connectionsPerSocket * limits.MaxSocketsPerAddress,
		Limited: func(limit string, _ bool) { s.metrics.Directory.Limited(places.OfConnections(limit), false) },
	}), s.connectedFrom)
}

// connectedFrom gives the address to count a connection by; none if it is a proxy's, who speaks for many. Whose the sockets behind that
// are, their requests say.
func (s *Server) connectedFrom(conn net.Conn) netip.Addr {
	hop, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	from := hop.Addr().Unmap().WithZone("")
	if err != nil || s.proxies.Trust(from) {
		return netip.Addr{}
	}
	return from
}

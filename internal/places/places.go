// Package places bounds what clients keep open: WebSockets and event streams, and the connections below. Rates bound how often somebody
// comes; without places, who comes slowly and never leaves takes all there is.
package places

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/letterlock/letterlock/internal/peer"
	"github.com/letterlock/letterlock/internal/problem"
)

// The limits that may be met.
const (
	LimitOpen                 = "open"
	LimitOpenOfAddress        = "open_of_address"
	LimitConnections          = "connections"
	LimitConnectionsOfAddress = "connections_of_address"
)

// OfConnections gives what a limit of sockets and event streams is called where connections are counted.
func OfConnections(limit string) string {
	if limit == LimitOpenOfAddress {
		return LimitConnectionsOfAddress
	}
	return LimitConnections
}

// comeAgain is when who finds no place is to try again. Nobody knows when one gets free.
const comeAgain = 10 * time.Second

// Options say how many places there are.
type Options struct {
	// Most is how many there are in all; 0: no limit.
	Most int
	// MostOfAddress is how many one address may take; 0: no limit.
	MostOfAddress int
	// Limited is told that a limit was met; nil if nobody is.
	Limited func(limit string, allNodes bool)
}

// Places are safe for use by several goroutines. Loopback is no address that counts, as with rates. A nil *Places has room for everybody.
type Places struct {
	options Options

	mu    sync.Mutex
	taken int
	of    map[netip.Addr]int // by household, of those who have any
}

// New makes Places that are all free.
func New(options Options) *Places {
	if options.Limited == nil {
		options.Limited = func(string, bool) {}
	}
	return &Places{options: options, of: map[netip.Addr]int{}}
}

// Take takes a place for somebody, until Leave. It fails with OVERLOADED if all are taken, and with RATE_LIMITED if too many are by this
// address.
func (p *Places) Take(from netip.Addr) error {
	if p == nil {
		return nil
	}
	switch limit := p.take(from); limit {
	case "":
		return nil
	case LimitOpenOfAddress:
		p.options.Limited(limit, false)
		return &problem.Error{
			Code: problem.RateLimited, Stored: problem.No, RetryAfter: comeAgain,
			Message: "Too many sockets and event streams of this address are open. Close some, or try again later.",
		}
	default:
		p.options.Limited(limit, false)
		return &problem.Error{
			Code: problem.Overloaded, Stored: problem.No, RetryAfter: comeAgain,
			Message: "All sockets of this server are taken. Try again later.",
		}
	}
}

// take names the limit that is met, if any. The address's own comes first: to others there may be room.
func (p *Places) take(from netip.Addr) (limit string) {
	home := peer.Household(from)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch o := p.options; {
	case o.MostOfAddress > 0 && p.of[home] >= o.MostOfAddress:
		return LimitOpenOfAddress
	case o.Most > 0 && p.taken >= o.Most:
		return LimitOpen
	}
	p.taken++
	if !peer.Uncounted(from) {
		p.of[home]++
	}
	return ""
}

// Status gives the HTTP status of an error of Take.
func Status(err error) int {
	if problem.CodeOf(err) == problem.RateLimited {
		return http.StatusTooManyRequests
	}
	return http.StatusServiceUnavailable
}

// Leave gives a place back that the address has taken.
func (p *Places) Leave(from netip.Addr) {
	if p == nil {
		return
	}
	home := peer.Household(from)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.of[home]--; p.of[home] <= 0 {
		delete(p.of, home)
	}
}

// Package peer finds the address that a request comes from, behind proxies that the operator trusts.
package peer

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks whose word on where a request comes from is believed. The zero value believes nobody.
type Proxies []netip.Prefix

// mappedBits is what stands before the IPv4 address in an IPv6 address that holds one.
const mappedBits = 96

// ParseProxies reads addresses and networks in CIDR notation.
func ParseProxies(texts []string) (Proxies, error) {
	var proxies Proxies
	for _, text := range texts {
		prefix, err := parsePrefix(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("LETTERLOCK_TRUSTED_PROXIES: %q is neither an address nor a network like 10.1.0.0/16", text)
		}
		proxies = append(proxies, prefix)
	}
	return proxies, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return addr.Prefix(addr.BitLen())
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil || !prefix.Addr().Is4In6() {
		return prefix, err
	}
	// A hop is compared as IPv4 address, which no network in the spelling of IPv6 holds.
	return prefix.Addr().Unmap().Prefix(prefix.Bits() - mappedBits)
}

// Client gives the address that a request comes from; the zero value if it can't be known. Each hop appends to
// X-Forwarded-For whom it has seen. So it is read from the right, for as long as the one who wrote an entry is trusted: what
// a client has put there itself lies further left, and is not reached.
func (p Proxies) Client(r *http.Request) netip.Addr {
	seen := parseHop(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !p.Trust(seen) {
			break
		}
		before := parseHop(strings.TrimSpace(hop))
		if !before.IsValid() {
			break
		}
		seen = before
	}
	return seen
}

// Overlooked reports whether a request looks like one of a proxy that the operator has forgotten to name: it says for whom it speaks,
// and comes from where proxies are, this machine or a private network. Anybody may say so; it is a reason to ask, not to believe.
func (p Proxies) Overlooked(r *http.Request) bool {
	if len(r.Header["X-Forwarded-For"]) == 0 {
		return false
	}
	hop := parseHop(r.RemoteAddr)
	return (hop.IsLoopback() || hop.IsPrivate()) && !p.Trust(hop)
}

// Trust reports whether an address is one of a proxy that is trusted.
func (p Proxies) Trust(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// parseHop reads an address, with a port or without.
func parseHop(text string) netip.Addr {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone("")
}

// Household gives what is counted as one: an IPv4 address, or the /64 of an IPv6 address, out of which one customer has as
// many as they like.
func Household(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	network, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return network.Addr()
}

// Uncounted reports whether limits of addresses are not for this one. Loopback is the machine itself, or a proxy that speaks for
// everybody.
func Uncounted(addr netip.Addr) bool { return !addr.IsValid() || addr.IsLoopback() }

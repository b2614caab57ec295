// Package origins knows which origins the server goes by, and which origins' pages may call it. Nothing here looks at a
// Host header: that is whatever the client says.
package origins

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/letterlock/letterlock/identity"
)

// Policy is which origins the server goes by and which may call it.
type Policy struct {
	own      []string
	allowed  map[string]bool
	loopback bool
}

// New makes the Policy of a server that listens on an address.
//
// public are the URLs that clients reach it by; without any it must listen on loopback, and goes by the loopback names
// with its port and its scheme, http or https. allowed are the origins of further pages. A server that goes by loopback names is open to every
// loopback origin.
func New(scheme string, listening net.Addr, public, allowed []string) (*Policy, error) {
	host, port, err := net.SplitHostPort(listening.String())
	if err != nil {
		return nil, fmt.Errorf("listening address %s: %w", listening, err)
	}
	p := &Policy{allowed: map[string]bool{}}
	if len(public) == 0 {
		if err := p.goByLoopback(scheme, host, port); err != nil {
			return nil, err
		}
	}
	for _, text := range public {
		origin, err := identity.Origin(text)
		if err != nil {
			return nil, fmt.Errorf("LETTERLOCK_PUBLIC_URL: %q is not the URL of a server, like https://chat.example.org", text)
		}
		p.own = append(p.own, origin)
	}
	for _, origin := range p.own {
		p.allowed[origin] = true
	}
	for _, text := range allowed {
		origin, err := identity.Origin(text)
		if err != nil || origin != strings.TrimSuffix(text, "/") {
			return nil, fmt.Errorf("LETTERLOCK_ALLOWED_ORIGINS: %q is not an origin, like https://app.example.org", text)
		}
		p.allowed[origin] = true
	}
	return p, nil
}

func (p *Policy) goByLoopback(scheme, host, port string) error {
	if !IsLoopback(host) {
		return fmt.Errorf("listening on %s, which others can reach, needs LETTERLOCK_PUBLIC_URL: the URL that clients know this server by, like https://chat.example.org",
			net.JoinHostPort(host, port))
	}
	if n, err := strconv.Atoi(port); err != nil || n == 0 {
		return fmt.Errorf("listening address has no port")
	}
	p.loopback = true
	for _, name := range []string{"localhost", "127.0.0.1", "::1", host} {
		origin, err := identity.Origin(scheme + "://" + net.JoinHostPort(name, port))
		if err == nil && !slices.Contains(p.own, origin) {
			p.own = append(p.own, origin)
		}
	}
	return nil
}

// Own gives the canonical origins that the server goes by: the audiences of tokens (S6.3). The first is the one to show.
func (p *Policy) Own() []string { return p.own }

// Loopback reports whether the server goes by the names of this machine alone.
func (p *Policy) Loopback() bool { return p.loopback }

// Allow reports whether pages of an origin, as a browser spells it, may call the server.
func (p *Policy) Allow(origin string) bool {
	if p.allowed[origin] {
		return true
	}
	if !p.loopback {
		return false
	}
	canonical, err := identity.Origin(origin)
	if err != nil || canonical != origin {
		return false
	}
	u, err := url.Parse(origin)
	return err == nil && IsLoopback(u.Hostname())
}

// IsLoopback reports whether a host, name or address, is this machine alone.
func IsLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

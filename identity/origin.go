package identity

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const maxOriginLength = 300 // a host name has at most 253 characters

// Origin gives the canonical origin of an http or https URL (S6.3): scheme, host in lower case, and the port unless it
// is the scheme's own. Path, query and fragment are dropped; a user, a host outside ASCII or none is ErrOrigin.
func Origin(rawURL string) (string, error) {
	if len(rawURL) > 4*maxOriginLength {
		return "", ErrOrigin
	}
	u, err := url.Parse(rawURL)
	if err != nil || u.User != nil || u.Opaque != "" {
		return "", ErrOrigin
	}
	ownPort, ok := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if !ok {
		return "", ErrOrigin
	}
	host, ok := canonicalHost(u.Hostname(), strings.HasPrefix(u.Host, "["))
	if !ok {
		return "", ErrOrigin
	}
	port, ok := canonicalPort(u.Port(), ownPort)
	if !ok || strings.HasSuffix(u.Host, ":") {
		return "", ErrOrigin
	}
	return u.Scheme + "://" + host + port, nil
}

func canonicalHost(host string, bracketed bool) (string, bool) {
	if bracketed {
		address, err := netip.ParseAddr(host)
		if err != nil || !address.Is6() || address.Zone() != "" {
			return "", false
		}
		return "[" + canonicalIPv6(address) + "]", true
	}
	host = strings.ToLower(host)
	if host == "" || len(host) > 253 {
		return "", false
	}
	for _, c := range []byte(host) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return "", false
		}
	}
	return host, true
}

// canonicalIPv6 spells an address as browsers do in an origin: never with a dotted IPv4 part.
func canonicalIPv6(address netip.Addr) string {
	if !address.Is4In6() {
		return address.String()
	}
	b := address.As16()
	high, low := uint64(b[12])<<8|uint64(b[13]), uint64(b[14])<<8|uint64(b[15])
	return "::ffff:" + strconv.FormatUint(high, 16) + ":" + strconv.FormatUint(low, 16)
}

func canonicalPort(port, own string) (string, bool) {
	if port == "" {
		return "", true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", false
	}
	if port = strconv.FormatUint(n, 10); port == own {
		return "", true
	}
	return ":" + port, true
}

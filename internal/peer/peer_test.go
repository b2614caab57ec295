package peer_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/peer"
)

func TestClientBehindProxies(t *testing.T) {
	proxies, err := peer.ParseProxies([]string{"10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "::ffff:172.16.0.0/108"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"203.0.113.5:4000", "", "203.0.113.5"},
		{"203.0.113.5:4000", "198.51.100.1", "203.0.113.5"}, // nobody trusts the one who says so
		{"10.1.2.3:4000", "", "10.1.2.3"},
		{"10.1.2.3:4000", "198.51.100.1", "198.51.100.1"},
		{"10.1.2.3:4000", "198.51.100.9, 198.51.100.1", "198.51.100.1"}, // the client wrote the first
		{"10.1.2.3:4000", "198.51.100.9,198.51.100.1 ,\t192.0.2.7", "198.51.100.1"},
		{"10.1.2.3:4000", "127.0.0.1, 198.51.100.1", "198.51.100.1"},
		{"10.1.2.3:4000", "10.1.9.9, 198.51.100.1, 10.1.0.1", "198.51.100.1"},
		{"10.1.2.3:4000", "10.1.9.9", "10.1.9.9"},
		{"10.1.2.3:4000", "198.51.100.1, unknown", "10.1.2.3"},
		{"10.1.2.3:4000", "198.51.100.1,", "10.1.2.3"},
		{"10.1.2.3:4000", "198.51.100.1:5000", "198.51.100.1"},
		{"10.1.2.3:4000", "[2001:db9::1]:5000", "2001:db9::1"},
		{"10.1.2.3:4000", "[2001:db9::1]", "2001:db9::1"},
		{"[2001:db8::1]:4000", "::ffff:198.51.100.1", "198.51.100.1"},
		{"[::ffff:10.1.2.3]:4000", "198.51.100.1", "198.51.100.1"},
		{"172.16.2.3:4000", "198.51.100.1", "198.51.100.1"},
		{"[fe80::1%eth0]:4000", "198.51.100.1", "fe80::1"},
		{"@", "198.51.100.1", ""}, // a Unix socket
	} {
		request := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.forwarded != "" {
			request.Header.Set("X-Forwarded-For", c.forwarded)
		}
		want, _ := netip.ParseAddr(c.want)
		if got := proxies.Client(request); got != want {
			t.Errorf("%s with %q: %v", c.remote, c.forwarded, got)
		}
	}
}

// A hop that appends a line of its own says the same as one that appends to the line.
func TestSeveralLinesAreOne(t *testing.T) {
	proxies, _ := peer.ParseProxies([]string{"10.0.0.0/8"})
	request := &http.Request{RemoteAddr: "10.1.2.3:4000", Header: http.Header{"X-Forwarded-For": {"198.51.100.9", "198.51.100.1"}}}
	if got := proxies.Client(request); got.String() != "198.51.100.1" {
		t.Errorf("%v", got)
	}
}

func TestOverlookedProxies(t *testing.T) {
	proxies, _ := peer.ParseProxies([]string{"10.1.0.0/16"})
	for remote, want := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "192.168.1.1:1": true, "10.2.0.1:1": true, "[fd00::1]:1": true,
		"10.1.0.1:1": false, "203.0.113.5:1": false, "@": false,
	} {
		request := &http.Request{RemoteAddr: remote, Header: http.Header{}}
		if proxies.Overlooked(request) {
			t.Errorf("%s without the header", remote)
		}
		request.Header.Set("X-Forwarded-For", "198.51.100.1")
		if got := proxies.Overlooked(request); got != want {
			t.Errorf("%s: %v", remote, got)
		}
	}
}

func TestParseProxiesNamesTheVariable(t *testing.T) {
	for _, text := range []string{"", "proxy", "10.0.0.0/33", "10.0.0.1:80", "::ffff:10.0.0.0/95"} {
		if _, err := peer.ParseProxies([]string{text}); err == nil || !strings.Contains(err.Error(), "LETTERLOCK_TRUSTED_PROXIES") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestHousehold(t *testing.T) {
	for addr, want := range map[string]string{"198.51.100.1": "198.51.100.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::"} {
		if got := peer.Household(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if got := peer.Household(netip.Addr{}); got.IsValid() {
		t.Errorf("nobody: %v", got)
	}
}

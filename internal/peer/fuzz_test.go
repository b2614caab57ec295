package peer_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/letterlock/letterlock/internal/peer"
)

// Nothing that a client writes into X-Forwarded-For moves it to another address: who is not trusted stays what the last trusted
// hop has seen, whatever stands left of that.
func FuzzClient(f *testing.F) {
	for _, seed := range []string{
		"", "198.51.100.9", "198.51.100.9, 10.1.9.9", ",", ", ,", "unknown", "_hidden:80", "[2001:db9::1]:5000", "[::ffff:10.1.2.3]", "fe80::1%eth0",
		"10.1.2.3", "10.1.2.3,", "127.0.0.1:99999", "\x00", "٤.٤.٤.٤", "::ffff:10.1.2.3%a,b", "]10.1.2.3[", "0.0.0.0", "::",
	} {
		f.Add(seed, "203.0.113.5:4000")
		f.Add(seed, "10.1.2.3:4000")
	}
	f.Add("10.1.2.3", "@")
	f.Add("10.1.2.3", "[fe80::1%eth0]:4000")
	f.Add("10.1.2.3", "")
	proxies, err := peer.ParseProxies([]string{"10.1.0.0/16", "2001:db8::/32"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, written, remote string) {
		client := func(p peer.Proxies, remote string, lines ...string) netip.Addr {
			return p.Client(&http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": lines}})
		}
		seen := client(nil, remote)
		if own := client(nil, remote, written); own != seen {
			t.Fatalf("nobody is trusted, but %q moves %q from %v to %v", written, remote, seen, own)
		}
		got := client(proxies, remote, written)
		if got.Zone() != "" || got.Is4In6() {
			t.Fatalf("%q from %q: %v is spelt in a second way", written, remote, got)
		}
		if got.IsValid() != seen.IsValid() {
			t.Fatalf("%q from %q: %v, without the header %v", written, remote, got, seen)
		}
		if inner := peer.Household(got); inner.IsValid() != got.IsValid() {
			t.Fatalf("%v has the household %v", got, inner)
		}
		want := netip.MustParseAddr("198.51.100.1")
		for _, lines := range [][]string{
			{written, "198.51.100.1"}, {written + ", 198.51.100.1"}, {written, "198.51.100.1, 10.1.0.1"}, {written + ",198.51.100.1:80", "10.1.0.1"},
		} {
			if got := client(proxies, "10.1.2.3:4000", lines...); got != want {
				t.Fatalf("%q: %v, want %v", lines, got, want)
			}
		}
	})
}

// Whatever is named as a proxy is refused, or is a network that holds itself.
func FuzzParseProxies(f *testing.F) {
	for _, seed := range []string{
		"10.1.0.0/16", "192.0.2.7", "2001:db8::/32", " ::1 ", "::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "fe80::1%eth0", "fe80::/10%eth0", "", "*", "10.0.0.1/33", "0/0", "::/0",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		proxies, err := peer.ParseProxies([]string{text})
		if err != nil {
			return
		}
		request := &http.Request{
			RemoteAddr: netip.AddrPortFrom(proxies[0].Addr(), 1).String(), Header: http.Header{"X-Forwarded-For": {"198.51.100.1"}},
		}
		if got := proxies.Client(request); got.String() != "198.51.100.1" {
			t.Fatalf("%q does not trust %s: %v", text, request.RemoteAddr, got)
		}
	})
}

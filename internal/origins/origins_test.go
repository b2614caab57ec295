package origins_test

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/origins"
)

func address(t *testing.T, text string) net.Addr {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestOwnOrigins(t *testing.T) {
	for name, c := range map[string]struct {
		listening string
		public    []string
		want      []string
	}{
		"loopback":         {"127.0.0.1:8080", nil, []string{"http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"}},
		"loopback, IPv6":   {"[::1]:8080", nil, []string{"http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"}},
		"another loopback": {"127.0.0.2:80", nil, []string{"http://localhost", "http://127.0.0.1", "http://[::1]", "http://127.0.0.2"}},
		"public":           {"0.0.0.0:8080", []string{"https://Chat.example.org:443/x"}, []string{"https://chat.example.org"}},
		"public, several":  {"127.0.0.1:8080", []string{"https://a.example", "http://b.example:81"}, []string{"https://a.example", "http://b.example:81"}},
	} {
		policy, err := origins.New("http", address(t, c.listening), c.public, nil)
		if err != nil || !slices.Equal(policy.Own(), c.want) {
			t.Errorf("%s: %v, %v; want %v", name, policy, err, c.want)
		}
	}
}

func TestErrorsNameTheVariable(t *testing.T) {
	for want, c := range map[string]struct {
		listening       string
		public, allowed []string
	}{
		"needs LETTERLOCK_PUBLIC_URL":   {"0.0.0.0:8080", nil, nil},
		"LETTERLOCK_PUBLIC_URL: \"ftp":  {"127.0.0.1:8080", []string{"ftp://chat.example.org"}, nil},
		"LETTERLOCK_ALLOWED_ORIGINS: ":  {"127.0.0.1:8080", nil, []string{"*"}},
		"\"https://app.example.org/x\"": {"127.0.0.1:8080", nil, []string{"https://app.example.org/x"}},
		"\"null\" is not an origin":     {"127.0.0.1:8080", nil, []string{"null"}},
	} {
		if _, err := origins.New("http", address(t, c.listening), c.public, c.allowed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", c, err, want)
		}
	}
}

func TestPublicServerOnLoopbackAllowsNoLoopbackPages(t *testing.T) {
	policy, err := origins.New("http", address(t, "127.0.0.1:8080"), []string{"https://chat.example.org"}, []string{"https://app.example.org/"})
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]bool{
		"https://app.example.org": true, "https://chat.example.org": true, "http://localhost:5173": false, "null": false, "": false,
	} {
		if got := policy.Allow(origin); got != want {
			t.Errorf("%q: %v, want %v", origin, got, want)
		}
	}
}

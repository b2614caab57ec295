package identity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// originCases: an empty origin means refused (S6.3).
var originCases = []struct{ url, origin string }{
	{"http://localhost:8080", "http://localhost:8080"},
	{"http://localhost:8080/graphql?x=1#y", "http://localhost:8080"},
	{"HTTPS://Chat.Example.ORG/", "https://chat.example.org"},
	{"https://chat.example.org:443", "https://chat.example.org"},
	{"http://chat.example.org:80", "http://chat.example.org"},
	{"https://chat.example.org:80", "https://chat.example.org:80"},
	{"http://127.0.0.1:08080", "http://127.0.0.1:8080"},
	{"http://[::1]:8080", "http://[::1]:8080"},
	{"http://[0:0:0:0:0:0:0:1]", "http://[::1]"},
	{"http://[2001:DB8::A]", "http://[2001:db8::a]"},
	{"http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]"},
	{"https://xn--bcher-kva.example", "https://xn--bcher-kva.example"},
	{"", ""},
	{"localhost:8080", ""},
	{"//chat.example.org", ""},
	{"ws://chat.example.org", ""},
	{"ftp://chat.example.org", ""},
	{"http:chat.example.org", ""},
	{"http://", ""},
	{"http://:8080", ""},
	{"http://chat.example.org:", ""},
	{"http://chat.example.org:0", ""},
	{"http://chat.example.org:65536", ""},
	{"http://user@chat.example.org", ""},
	{"http://user:password@chat.example.org", ""},
	{"http://bücher.example", ""},
	{"http://chat%2eexample.org", ""},
	{"http://chat example.org", ""},
	{"http://[::1%25eth0]", ""},
	{"http://chat.example.org\n", ""},
	{"http://" + strings.Repeat("a", 254), ""},
	{"http://chat.example.org/" + strings.Repeat("a", 5000), ""},
}

func TestS6_3_Origin(t *testing.T) {
	for _, c := range originCases {
		origin, err := identity.Origin(c.url)
		if origin != c.origin || (err != nil) != (c.origin == "") || err != nil && !errors.Is(err, identity.ErrOrigin) {
			t.Errorf("%q: %q, %v; want %q", c.url, origin, err, c.origin)
		}
	}
}

func TestS6_3_TokensAreMadeForCanonicalOriginsAlone(t *testing.T) {
	alice := newPerson(t, "alice")
	for _, audience := range []string{"", "http://localhost:8080/", "HTTP://localhost", "localhost"} {
		if _, err := identity.NewToken(alice.device("phone"), alice.id(), audience, createdAt); !errors.Is(err, identity.ErrOrigin) {
			t.Errorf("%q: %v", audience, err)
		}
	}
}

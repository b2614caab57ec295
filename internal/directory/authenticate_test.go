package directory_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

func TestRemovedDeviceFailsAtOnceHereAndWithinTheIntervalElsewhere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		clock, alice := newClock(), newPerson(t)
		here, elsewhere := newNode(t, db, clock), newNode(t, testdb.Reopen(t, db), clock)
		here.register(alice)
		second := newKey()
		here.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first, second))
		token := alice.token(second)
		for _, n := range []*node{here, elsewhere} { // both have it in memory now
			if _, _, err := n.Authenticate(t.Context(), token, origins); err != nil {
				t.Fatal(err)
			}
		}
		here.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first))

		_, _, err := here.Authenticate(t.Context(), token, origins)
		wantCode(t, err, problem.DeviceRemoved)
		clock.advance(5 * time.Second)
		_, _, err = elsewhere.Authenticate(t.Context(), token, origins)
		wantCode(t, err, problem.DeviceRemoved)
		caller, _, err := elsewhere.Authenticate(t.Context(), alice.token(alice.first), origins)
		if err != nil || caller.ListVersion != 3 {
			t.Errorf("the device that stayed: %+v, %v", caller, err)
		}
	})
}

func TestDeviceIsReadOnceAnInterval(t *testing.T) {
	db := testdb.Open(t, database.SQLite)
	clock, alice := newClock(), newPerson(t)
	n := newNode(t, db, clock)
	n.register(alice)
	if _, err := n.Device(t.Context(), alice.first.device()); err != nil {
		t.Fatal(err)
	}
	if err := db.SQL.Close(); err != nil { // nothing can be read from here on
		t.Fatal(err)
	}
	clock.advance(4 * time.Second)
	if _, err := n.Device(t.Context(), alice.first.device()); err != nil {
		t.Errorf("within the interval: %v", err)
	}
	clock.advance(time.Second)
	_, err := n.Device(t.Context(), alice.first.device())
	wantCode(t, err, problem.StoreUnavailable)
	if strings.Contains(strings.SplitN(err.Error(), ":", 2)[0], "sql") {
		t.Errorf("the caller's message has the cause in it: %v", err)
	}
}

func TestUnknownDeviceIsFoundAsSoonAsItRegisters(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice := newNode(t, db, newClock()), newPerson(t)
		_, _, err := n.Authenticate(t.Context(), alice.token(alice.first), origins)
		wantCode(t, err, problem.Unauthenticated)
		n.register(alice)
		if _, _, err := n.Authenticate(t.Context(), alice.token(alice.first), origins); err != nil {
			t.Error(err)
		}
	})
}

func TestAuthenticateRefuses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice, bob := newNode(t, db, newClock()), newPerson(t), newPerson(t)
		n.register(alice)
		n.register(bob)
		good := claims{alice.first.device().String(), alice.id().String(), origin, start.Unix(), start.Add(time.Minute).Unix()}
		if _, _, err := n.Authenticate(t.Context(), good.sign(t, alice.first, nil), origins); err != nil {
			t.Fatalf("the token that the others are made from: %v", err)
		}
		change := func(do func(*claims)) string {
			c := good
			do(&c)
			return c.sign(t, alice.first, nil)
		}
		ok := good.sign(t, alice.first, nil)
		for name, token := range map[string]string{
			"none":                         "",
			"nonsense":                     "nonsense",
			"S6.5 too long":                ok + strings.Repeat("A", 1024),
			"S6.1 alg none":                good.sign(t, alice.first, map[string]any{"alg": "none"}),
			"S6.1 alg HS256":               good.sign(t, alice.first, map[string]any{"alg": "HS256"}),
			"S6.1 other typ":               good.sign(t, alice.first, map[string]any{"typ": "JWT"}),
			"S6.1 jwk":                     good.sign(t, alice.first, map[string]any{"jwk": map[string]string{"kty": "OKP"}}),
			"S6.1 jku":                     good.sign(t, alice.first, map[string]any{"jku": "https://evil.example/keys"}),
			"S6.1 x5u":                     good.sign(t, alice.first, map[string]any{"x5u": "https://evil.example/chain"}),
			"S6.1 x5c":                     good.sign(t, alice.first, map[string]any{"x5c": []string{"AAAA"}}),
			"S6.1 crit":                    good.sign(t, alice.first, map[string]any{"crit": []string{"exp"}}),
			"unsigned":                     ok[:strings.LastIndexByte(ok, '.')+1],
			"S6.2 signed by another key":   good.sign(t, bob.first, nil),
			"S6.2 user of another device":  change(func(c *claims) { c.sub = bob.id().String() }),
			"S6.2 kid of another device":   change(func(c *claims) { c.kid = bob.first.device().String() }),
			"S6.2 kid that nobody has":     change(func(c *claims) { c.kid = newKey().device().String() }),
			"S6.2 kid that is none":        change(func(c *claims) { c.kid = "d" }),
			"S6.3 another server":          change(func(c *claims) { c.aud = "https://elsewhere.example" }),
			"S6.3 several servers":         change(func(c *claims) { c.aud = []string{origin} }),
			"S6.3 origin with a path":      change(func(c *claims) { c.aud = origin + "/" }),
			"S6.4 expired":                 change(func(c *claims) { c.exp = start.Unix() }),
			"S6.4 expires too far ahead":   change(func(c *claims) { c.exp = start.Unix() + 601 }),
			"S6.4 issued in the future":    change(func(c *claims) { c.iat = start.Unix() + 61 }),
			"S6.4 never expires":           change(func(c *claims) { c.exp = nil }),
			"S6.4 not said when issued":    change(func(c *claims) { c.iat = nil }),
			"S6.4 fractions of a second":   change(func(c *claims) { c.exp = float64(start.Unix()) + 0.5 }),
			"of a device never registered": newPerson(t).token(newKey()),
		} {
			t.Run(name, func(t *testing.T) {
				caller, _, err := n.Authenticate(t.Context(), token, origins)
				wantCode(t, err, problem.Unauthenticated)
				if caller.ID != (identity.DeviceID{}) {
					t.Errorf("gave %s with the error", caller.ID)
				}
				if token != "" && err != nil && len(token) > 20 && strings.Contains(err.Error(), token[20:]) {
					t.Errorf("the token is in the error: %v", err)
				}
			})
		}
	})
}

// claims are what a token says; a nil member is left out.
type claims struct {
	kid, sub      string
	aud, iat, exp any
}

// sign makes a token by hand, so that it can be wrong.
func (c claims) sign(t *testing.T, signer key, header map[string]any) string {
	t.Helper()
	head := map[string]any{"alg": "EdDSA", "kid": c.kid, "typ": "letterlock-device+jwt"}
	for name, value := range header {
		head[name] = value
	}
	body := map[string]any{"sub": c.sub, "aud": c.aud}
	for name, value := range map[string]any{"iat": c.iat, "exp": c.exp} {
		if value != nil {
			body[name] = value
		}
	}
	text := segment(t, head) + "." + segment(t, body)
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(signer.private, []byte(text)))
}

func segment(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

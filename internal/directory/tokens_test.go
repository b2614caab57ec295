package directory_test

import (
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

// A token that was verified once is not verified again; what it is good for is asked each time.
func TestTokenSeenBefore(t *testing.T) {
	clock, alice := newClock(), newPerson(t)
	n := newNode(t, testdb.Open(t, database.SQLite), clock)
	n.register(alice)
	token := alice.token(alice.first)
	for range 2 {
		caller, _, err := n.Authenticate(t.Context(), token, origins)
		if err != nil || caller.ID != alice.first.device() || caller.User != alice.id() {
			t.Fatalf("%+v, %v", caller, err)
		}
	}
	_, _, err := n.Authenticate(t.Context(), token, []string{"https://elsewhere.example"})
	wantCode(t, err, problem.Unauthenticated)
	// A signature's last byte is at most 16: this one is another.
	_, _, err = n.Authenticate(t.Context(), token[:len(token)-2]+"_A", origins)
	wantCode(t, err, problem.Unauthenticated)
	clock.advance(identity.TokenLifetime)
	_, _, err = n.Authenticate(t.Context(), token, origins)
	wantCode(t, err, problem.Unauthenticated)
	clock.advance(-identity.TokenLifetime - 2*time.Minute) // the clock was set back: the token expires too far ahead
	_, _, err = n.Authenticate(t.Context(), token, origins)
	wantCode(t, err, problem.Unauthenticated)
}

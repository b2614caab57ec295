package client_test

import (
	"testing"

	"github.com/letterlock/letterlock/internal/testserver"
)

// The operations that are exported are all that the SDK asks for.
func TestExportedOperationsAreEnough(t *testing.T) {
	s := testserver.Start(t, testserver.Options{PersistedOnly: []string{"internal/api/operations.json"}})
	alice, bob := person(t, s.URL), person(t, s.URL)
	l := listen(t, bob)
	send(t, alice, bob.UserID(), "hello")
	l.text("hello")
	l.stop()
	send(t, alice, bob.UserID(), "and again")
	equal(t, inbox(t, bob), []string{"and again"})
}

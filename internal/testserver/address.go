package testserver

import (
	"testing"

	"github.com/letterlock/letterlock/internal/testport"
)

// FreeAddress is an address for a server that is to start again at the same one.
func FreeAddress(t testing.TB) string {
	t.Helper()
	address, err := testport.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return address
}

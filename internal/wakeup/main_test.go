package wakeup_test

import (
	"os"
	"testing"

	"github.com/letterlock/letterlock/internal/testmain"
)

// TestMain fails if a goroutine of a hub or its connection outlives the tests: every hub was closed by then.
func TestMain(m *testing.M) {
	os.Exit(testmain.WithoutLeaks(m, "internal/wakeup.", "nats-io/nats%2ego"))
}

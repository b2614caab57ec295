package mailbox

import (
	"os"
	"testing"

	"github.com/letterlock/letterlock/internal/testmain"
)

// TestMain fails if a goroutine of the package outlives the tests: every Service and Reader was closed by then.
func TestMain(m *testing.M) {
	os.Exit(testmain.WithoutLeaks(m, "internal/mailbox."))
}

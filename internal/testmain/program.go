// Package testmain is what TestMain functions share.
package testmain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// WithServer runs the tests with the server built for them, and puts into program where it lies. It gives the exit code.
func WithServer(m *testing.M, program *string) int {
	dir, err := os.MkdirTemp("", "letterlock")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	*program = filepath.Join(dir, "letterlock")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", *program, "github.com/letterlock/letterlock") // #nosec G204 -- a path of our own
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("go build: %v\n%s", err, out))
	}
	return m.Run()
}

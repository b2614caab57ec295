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

// ProgramVariable names a server that was built from what is here before: `make test` builds one for all.
const ProgramVariable = "LETTERLOCK_BIN"

// WithServer runs the tests with the server built for them, and puts into program where it lies. It gives the exit code.
func WithServer(m *testing.M, program *string) int {
	dir, err := os.MkdirTemp("", "letterlock")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if *program, err = Server(context.Background(), dir); err != nil {
		panic(err)
	}
	return m.Run()
}

// Server tells where the server lies, which is built into dir unless there is one.
func Server(ctx context.Context, dir string) (string, error) {
	if built := os.Getenv(ProgramVariable); built != "" {
		return filepath.Abs(built)
	}
	program := filepath.Join(dir, "letterlock")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/letterlock/letterlock") // #nosec G204 -- a path of our own
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
}

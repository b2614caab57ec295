package client_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/testserver"
)

// A program of another module builds against client, and works.
func TestOutsideProgram(t *testing.T) {
	root, err := filepath.Abs("..")
	check(t, err)
	dir := t.TempDir()
	copyFile(t, filepath.Join("testdata", "outside", "main.go"), filepath.Join(dir, "main.go"), nil)
	copyFile(t, filepath.Join(root, "go.sum"), filepath.Join(dir, "go.sum"), nil)
	copyFile(t, filepath.Join(root, "go.mod"), filepath.Join(dir, "go.mod"), func(text string) string {
		const module = "github.com/letterlock/letterlock"
		text = strings.Replace(text, "module "+module, "module example.com/outside", 1)
		return text + "\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + root + "\n"
	})
	program := filepath.Join(dir, "outside")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=mod", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := testserver.Start(t, testserver.Options{})
	out, err := exec.CommandContext(t.Context(), program, server.URL, t.TempDir()).CombinedOutput()
	if err != nil || string(out) != "from outside 16 20 20 false\n" {
		t.Fatalf("%v\n%s", err, out)
	}
}

func copyFile(t *testing.T, from, to string, change func(string) string) {
	t.Helper()
	content, err := os.ReadFile(from)
	check(t, err)
	text := string(content)
	if change != nil {
		text = change(text)
	}
	check(t, os.WriteFile(to, []byte(text), 0o600))
}

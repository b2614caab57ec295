package device_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The law of the design: no network, files or databases, nothing of the server, and a browser can run it.
func TestLaw(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{if not .Standard}}{{.ImportPath}}: {{join .Imports " "}}{{end}}`, ".")
	list.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/letterlock/letterlock/"
	for line := range strings.Lines(string(out)) {
		name, imports, _ := strings.Cut(strings.TrimSpace(line), ": ")
		ours, inModule := strings.CutPrefix(name, module)
		if !inModule {
			continue
		}
		if !slices.Contains([]string{"identity", "cryptobox", "device"}, ours) {
			t.Errorf("device depends on %s", name)
		}
		for _, forbidden := range []string{"net", "net/http", "os", "os/exec", "database/sql", "syscall", "syscall/js"} {
			if slices.Contains(strings.Fields(imports), forbidden) {
				t.Errorf("%s imports %s", name, forbidden)
			}
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(t.TempDir(), "device.a"), ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("it does not compile for js/wasm: %s", out)
	}
}

package identity_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/letterlock/letterlock/"

// clientPackages are the packages here that run in a browser. (device has the same law, and a test of its own.)
var clientPackages = []string{module + "identity", module + "cryptobox"}

// TestLaw_NoNetworkNoDiskNoServer holds the design's law: identity and cryptobox import neither net, os nor database/sql, nor
// anything of the server; and of other modules only those named here. What those import in their turn is theirs: golang-jwt
// brings crypto/x509 and with it net, which nothing here calls. net/url and net/netip only read text.
func TestLaw_NoNetworkNoDiskNoServer(t *testing.T) {
	const format = `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`
	lines := strings.Split(golist(t, "-deps", "-f", format, module+"cryptobox"), "\n")
	seen := 0
	for _, line := range lines {
		fields := strings.Fields(line)
		if len(fields) == 0 || !strings.HasPrefix(fields[0], module) {
			continue
		}
		if seen++; !slices.Contains(clientPackages, fields[0]) {
			t.Errorf("cryptobox depends on %s", fields[0])
		}
		for _, imported := range fields[1:] {
			if reason := forbidden(imported); reason != "" {
				t.Errorf("%s imports %s: %s", fields[0], imported, reason)
			}
		}
	}
	if seen != len(clientPackages) {
		t.Fatalf("%d packages looked at, want %d", seen, len(clientPackages))
	}
}

// forbidden gives the reason why a package that runs in a browser must not import this one.
func forbidden(imported string) string {
	allowed := []string{"net/url", "net/netip", "github.com/golang-jwt/jwt/v5", "golang.org/x/crypto/", module + "identity"}
	for _, name := range allowed {
		if imported == name || strings.HasSuffix(name, "/") && strings.HasPrefix(imported, name) {
			return ""
		}
	}
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case strings.Contains(first, "."):
		return "another module, or the server's"
	case slices.Contains([]string{"net", "os", "database", "syscall", "plugin", "io/ioutil", "embed"}, first):
		return "network or disk"
	case imported == "unsafe" || imported == "C":
		return "memory that Go does not look after"
	}
	return ""
}

func TestLaw_IdentityDoesNotKnowCryptobox(t *testing.T) {
	if deps := strings.Fields(golist(t, "-deps", module+"identity")); slices.Contains(deps, module+"cryptobox") {
		t.Error("identity depends on cryptobox, and so would the server")
	}
}

func TestLaw_CompilesForTheBrowser(t *testing.T) {
	command := exec.CommandContext(t.Context(), "go", append([]string{"build"}, clientPackages...)...)
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

func golist(t *testing.T, arguments ...string) string {
	t.Helper()
	var errors strings.Builder
	command := exec.CommandContext(t.Context(), "go", append([]string{"list"}, arguments...)...)
	command.Stderr = &errors
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, errors.String())
	}
	return string(output)
}

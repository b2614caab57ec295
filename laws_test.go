package main_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/letterlock/letterlock/"

// dependencies gives the packages that a package is built from.
func dependencies(t *testing.T, pkg string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}

func within(pkg, name string) bool { return pkg == name || strings.HasPrefix(pkg, name+"/") }

// The server links no code that can open an envelope.
func TestServerCannotOpenEnvelopes(t *testing.T) {
	packages := dependencies(t, ".")
	if len(packages) < 100 {
		t.Fatalf("only %d packages were looked at", len(packages))
	}
	for _, pkg := range packages {
		for _, forbidden := range []string{"cryptobox", "device", "client", "internal/testserver", "internal/testdb", "internal/testnats", "internal/testcert", "internal/testacme", "internal/testvectors"} {
			if within(pkg, module+forbidden) {
				t.Errorf("the server links %s", pkg)
			}
		}
		if within(pkg, "github.com/nats-io/nats-server") || within(pkg, "github.com/letsencrypt/pebble") {
			t.Errorf("the server links %s, which is for tests", pkg)
		}
	}
}

// What opens boxes is used by nothing that the server is made of. The one library that imports it reads the credentials of
// NATS, and has in it what NATS calls xkeys: ours is none of it.
func TestServerOpensNoBoxes(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		imports := strings.Fields(line)
		if slices.Contains(imports[1:], "golang.org/x/crypto/nacl/box") && imports[0] != "github.com/nats-io/nkeys" {
			t.Errorf("%s opens boxes", imports[0])
		}
		if slices.Contains(imports[1:], "github.com/nats-io/nkeys") && imports[0] != "github.com/nats-io/nats.go" {
			t.Errorf("%s uses keys of NATS", imports[0])
		}
	}
}

// The parts of the server tell what they do; who counts it is not their business.
func TestPartsDoNotKnowPrometheus(t *testing.T) {
	for _, part := range []string{"mailbox", "directory", "wakeup", "socket", "graphqlhttp", "guard", "failure"} {
		for _, pkg := range dependencies(t, "./internal/"+part) {
			if strings.HasPrefix(pkg, "github.com/prometheus/") || pkg == module+"internal/telemetry" {
				t.Errorf("internal/%s depends on %s", part, pkg)
			}
		}
	}
}

// What both sides and browsers share knows no network, no disk and nothing of the server.
func TestClientCoreIsApart(t *testing.T) {
	for _, core := range []string{"identity", "cryptobox", "device"} {
		imports, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{join .Imports "\n"}}`, "./"+core).Output()
		if err != nil {
			t.Fatalf("go list ./%s: %v", core, err)
		}
		for _, pkg := range strings.Fields(string(imports)) {
			if pkg == "net" || pkg == "os" || pkg == "net/http" || pkg == "database/sql" || pkg == "time/tzdata" {
				t.Errorf("%s imports %s", core, pkg)
			}
		}
		for _, pkg := range dependencies(t, "./"+core) {
			for _, forbidden := range []string{"internal", "graph", "ent", "client", "web", "cmd"} {
				if within(pkg, module+forbidden) {
					t.Errorf("%s depends on %s", core, pkg)
				}
			}
			if pkg == "database/sql" || pkg == "net/http" {
				t.Errorf("%s depends on %s", core, pkg)
			}
		}
	}
}

func TestClientCoreCompilesForBrowsers(t *testing.T) {
	build := exec.CommandContext(t.Context(), "go", "build", "./identity", "./cryptobox", "./device")
	build.Env = append(build.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// What a browser loads talks to nobody by itself: the page does, through Apollo Client.
func TestBrowserDeviceHasNoNetwork(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./web/core/wasm")
	list.Env = append(list.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if !slices.Contains(packages, module+"device") {
		t.Fatal("it is no device")
	}
	for _, forbidden := range []string{"net", "net/http", "crypto/x509", "crypto/tls", "log", "time/tzdata", "database/sql"} {
		if slices.Contains(packages, forbidden) {
			t.Errorf("the browser's device links %s", forbidden)
		}
	}
}

// Package testvectors gives tests the known answers from outside that are not part of this repository.
package testvectors

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// DirectoryVariable names the environment variable with the folder that holds wycheproof/.
const DirectoryVariable = "LETTERLOCK_VECTORS"

// Group is a group of a file's cases, each of which is a C.
type Group[C any] struct {
	IVSize, TagSize int
	PublicKey       struct{ PK Hex }
	Tests           []C
}

// Case is what every case has.
type Case struct {
	TcID    int
	Comment string
	Flags   []string
	Result  string
}

// Valid reports whether the case must succeed.
func (c Case) Valid() bool { return c.Result == "valid" }

// Hex is how wycheproof writes bytes.
type Hex []byte

// UnmarshalText reads hexadecimal.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// Each runs test for every case of a file of C2SP/wycheproof (testvectors_v1), which must hold at least so many. The files
// are looked for under LETTERLOCK_VECTORS, else beside the project's root. Where there is no such folder at all the test is
// skipped, and says so; a file that is missing from one is a failure.
func Each[C any](t *testing.T, file string, atLeast int, test func(*testing.T, Group[C], C)) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(directory(t), file))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		NumberOfTests int
		TestGroups    []Group[C]
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	ran := 0
	for _, group := range all.TestGroups {
		for _, c := range group.Tests {
			ran++
			test(t, group, c)
		}
	}
	if ran < atLeast || ran != all.NumberOfTests {
		t.Fatalf("%s: %d cases have run; it says that it has %d, and at least %d are wanted", file, ran, all.NumberOfTests, atLeast)
	}
	t.Logf("%s: %d cases", file, ran)
}

func directory(t *testing.T) string {
	t.Helper()
	given := os.Getenv(DirectoryVariable)
	folder := filepath.Join(given, "wycheproof")
	if given == "" {
		folder = filepath.Join(root(t), "..", "shared", "vectors", "wycheproof")
	}
	_, err := os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) && given == "" {
		t.Skipf("SKIPPED: there is no %s; set %s to the folder that holds wycheproof/", folder, DirectoryVariable)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// root finds the project's root from the directory of the test.
func root(t *testing.T) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		above := filepath.Dir(folder)
		if above == folder {
			t.Fatal("no go.mod above the test")
		}
		folder = above
	}
}

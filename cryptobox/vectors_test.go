package cryptobox_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// classes are the refusals that the vectors name. Each must be met by at least one vector.
var classes = map[string]error{
	"content":           cryptobox.ErrContent,
	"content-version":   cryptobox.ErrContentVersion,
	"padding":           cryptobox.ErrPadding,
	"message-id":        cryptobox.ErrMessageID,
	"conversation":      cryptobox.ErrConversation,
	"text":              cryptobox.ErrText,
	"receipt":           cryptobox.ErrReceipt,
	"copy":              cryptobox.ErrCopy,
	"mismatch":          cryptobox.ErrMismatch,
	"list-hash":         cryptobox.ErrListHash,
	"list-missing":      cryptobox.ErrListMissing,
	"forged":            cryptobox.ErrForged,
	"state":             cryptobox.ErrState,
	"session-version":   cryptobox.ErrSessionVersion,
	"key-used":          cryptobox.ErrKeyUsed,
	"too-far-ahead":     cryptobox.ErrTooFarAhead,
	"key-low-order":     identity.ErrKeyLowOrder,
	"key-not-canonical": identity.ErrKeyNotCanonical,
	"safety-text":       cryptobox.ErrSafetyText,
	"safety-version":    cryptobox.ErrSafetyVersion,
	"safety-own-code":   cryptobox.ErrSafetyOwnCode,
	"safety-others":     cryptobox.ErrSafetyOthers,
	"safety-mismatch":   cryptobox.ErrSafetyMismatch,
}

// hexBytes is how the vectors write bytes.
type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// vector is what every case has.
type vector struct{ Name, Rule, Expect string }

func (v vector) head() vector { return v }

// eachVector runs a subtest for each case of a file, and fails if there is none.
func eachVector[V interface{ head() vector }](t *testing.T, file string, test func(*testing.T, V)) {
	t.Helper()
	for _, v := range loadVectors[V](t, file) {
		head := v.head()
		t.Run(head.Rule+" "+head.Name, func(t *testing.T) { test(t, v) })
	}
}

func loadVectors[V any](t testing.TB, file string) []V {
	t.Helper()
	var all struct{ Cases []V }
	loadJSON(t, file, &all)
	if len(all.Cases) == 0 {
		t.Fatalf("%s holds no cases", file)
	}
	return all.Cases
}

func loadJSON(t testing.TB, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// wantClass compares an error with the class that a vector expects.
func (v vector) wantClass(t testing.TB, err error) {
	t.Helper()
	if v.Expect == "ok" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	want, known := classes[v.Expect]
	if !known {
		t.Fatalf("unknown class %q", v.Expect)
	}
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want class %s: %v", err, v.Expect, want)
	}
}

func TestVectorsMeetEveryClass(t *testing.T) {
	met := make(map[string]bool)
	for _, file := range []string{"content.json", "checks.json", "padding.json", "box_libsodium.json", "safety.json", "pqxdh.json", "ratchet.json", "state_v1.json"} {
		for _, v := range loadVectors[vector](t, file) {
			met[v.Expect] = true
		}
	}
	for _, step := range loadScript(t).Steps {
		met[step.Expect] = true
	}
	for class := range classes {
		if !met[class] {
			t.Errorf("no vector is refused with class %s", class)
		}
	}
}

package identity_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// classes are the refusals that the vectors name. Each must be met by at least one vector.
var classes = map[string]error{
	"user-id":           identity.ErrUserID,
	"device-id":         identity.ErrDeviceID,
	"key-length":        identity.ErrKeyLength,
	"key-not-canonical": identity.ErrKeyNotCanonical,
	"key-not-on-curve":  identity.ErrKeyNotOnCurve,
	"key-low-order":     identity.ErrKeyLowOrder,
	"key-reused":        identity.ErrKeyReused,
	"signature":         identity.ErrSignature,
	"entry-form":        identity.ErrEntryForm,
	"entry-protocols":   identity.ErrEntryProtocols,
	"entry-user":        identity.ErrEntryUser,
	"list-form":         identity.ErrListForm,
	"list-version":      identity.ErrListVersion,
	"list-order":        identity.ErrListOrder,
	"list-first":        identity.ErrListFirst,
	"list-user":         identity.ErrListUser,
	"list-older":        identity.ErrListOlder,
	"list-gap":          identity.ErrListGap,
	"equivocation":      identity.ErrEquivocation,
	"list-previous":     identity.ErrListPrevious,
	"list-author":       identity.ErrListAuthor,
	"agreement-key":     identity.ErrAgreementKey,
	"created-at":        identity.ErrCreatedAt,
	"protocol-dropped":  identity.ErrProtocolDropped,
	"device-removed":    identity.ErrDeviceRemoved,
	"prekey-form":       identity.ErrPrekeyForm,
	"prekey-kind":       identity.ErrPrekeyKind,
	"prekey-number":     identity.ErrPrekeyNumber,
	"prekey-owner":      identity.ErrPrekeyOwner,
	"prekey-kem":        identity.ErrPrekeyKEM,
	"deletion-form":     identity.ErrDeletionForm,
	"token-form":        identity.ErrTokenForm,
	"token-algorithm":   identity.ErrTokenAlgorithm,
	"token-type":        identity.ErrTokenType,
	"token-header":      identity.ErrTokenHeader,
	"token-device":      identity.ErrTokenDevice,
	"token-user":        identity.ErrTokenUser,
	"token-claims":      identity.ErrTokenClaims,
	"token-signature":   identity.ErrTokenSignature,
	"token-audience":    identity.ErrTokenAudience,
	"token-expired":     identity.ErrTokenExpired,
	"token-lifetime":    identity.ErrTokenLifetime,
	"token-future":      identity.ErrTokenFuture,
}

// hexBytes is how the vectors write bytes.
type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

// vector is what every case has.
type vector struct{ Name, Rule, Kind, Expect string }

func (v vector) head() vector { return v }

// eachVector runs a subtest for each case of a file, and fails if there is none.
func eachVector[V interface{ head() vector }](t *testing.T, file string, test func(*testing.T, V)) {
	t.Helper()
	cases := loadVectors[V](t, file)
	for _, v := range cases {
		head := v.head()
		t.Run(head.Rule+" "+head.Kind+" "+head.Name, func(t *testing.T) { test(t, v) })
	}
}

func loadVectors[V any](t testing.TB, file string) []V {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []V }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if len(all.Cases) == 0 {
		t.Fatalf("%s holds no cases", file)
	}
	return all.Cases
}

// wantClass compares an error with the class that a vector expects.
func (v vector) wantClass(t *testing.T, err error) {
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
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	met := make(map[string]bool)
	for _, file := range files {
		for _, v := range loadVectors[vector](t, filepath.Base(file)) {
			met[v.Expect] = true
		}
	}
	for class := range classes {
		if !met[class] {
			t.Errorf("no vector is refused with class %s", class)
		}
	}
}

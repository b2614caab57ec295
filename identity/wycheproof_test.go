package identity_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// wycheproof reads a file of C2SP/wycheproof (testvectors_v1), which is not part of this repository: it is looked for under
// LETTERLOCK_VECTORS, else beside the project's root. Without it the test is skipped, and says so.
func wycheproof[G any](t *testing.T, file string) []G {
	t.Helper()
	directory := os.Getenv("LETTERLOCK_VECTORS")
	if directory == "" {
		directory = filepath.Join("..", "..", "shared", "vectors")
	}
	path := filepath.Join(directory, "wycheproof", file)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIPPED: no wycheproof vectors at %s; set LETTERLOCK_VECTORS to the folder that holds wycheproof/%s", path, file)
	}
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ TestGroups []G }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all.TestGroups
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestS2_3_Wycheproof: "acceptable" leaves the choice to us. We chose: the twist is fine; what is not canonical is refused,
// although RFC 7748 section 7 recommends to take it, because a key shall have one encoding; and a point of small order is
// refused, because everybody agrees with it on zero.
func TestS2_3_Wycheproof(t *testing.T) {
	type test struct {
		TcID                    int
		Comment                 string
		Flags                   []string
		Public, Private, Shared string
		Result                  string
	}
	ran := 0
	for _, group := range wycheproof[struct{ Tests []test }](t, "x25519_test.json") {
		for _, c := range group.Tests {
			ran++
			raw := unhex(t, c.Public)
			_, err := identity.ParseAgreementPublicKey(raw)
			low := slices.Contains(c.Flags, "LowOrderPublic") || slices.Contains(c.Flags, "ZeroSharedSecret")
			// Not all that is not canonical has the flag: neither a set top bit nor some points of small order.
			loose := slices.Contains(c.Flags, "NonCanonicalPublic") || raw[31]&0x80 != 0
			var refused bool
			switch {
			case low:
				refused = errors.Is(err, identity.ErrKeyLowOrder) || errors.Is(err, identity.ErrKeyNotCanonical)
			case loose:
				refused = errors.Is(err, identity.ErrKeyNotCanonical)
			}
			if refused != (low || loose) || !refused && err != nil {
				t.Errorf("case %d (%s, %v): %v", c.TcID, c.Comment, c.Flags, err)
			}
			if c.Result == "valid" && err != nil && !loose {
				t.Errorf("case %d is valid and refused: %v", c.TcID, err)
			}
			if err == nil {
				checkAgreement(t, c.TcID, raw, unhex(t, c.Private), unhex(t, c.Shared))
			}
		}
	}
	if ran == 0 {
		t.Fatal("no case has run")
	}
	t.Logf("%d cases", ran)
}

// checkAgreement: what is accepted must agree as it should, twist included.
func checkAgreement(t *testing.T, id int, public, private, shared []byte) {
	t.Helper()
	key, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	peer, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	if agreed, err := key.ECDH(peer); err != nil || !bytes.Equal(agreed, shared) {
		t.Errorf("case %d: agreed on %x, %v", id, agreed, err)
	}
}

// TestS2_2_Wycheproof: no difference. Every key is one that S2.1 accepts, every valid signature verifies, no invalid one does.
func TestS2_2_Wycheproof(t *testing.T) {
	type group struct {
		PublicKey struct{ PK string }
		Tests     []struct {
			TcID              int
			Comment, Msg, Sig string
			Result            string
		}
	}
	ran := 0
	for _, group := range wycheproof[group](t, "ed25519_test.json") {
		key, err := identity.ParseSigningPublicKey(unhex(t, group.PublicKey.PK))
		if err != nil {
			t.Errorf("key %s: %v", group.PublicKey.PK, err)
			continue
		}
		for _, c := range group.Tests {
			ran++
			if accepted := key.Verify(unhex(t, c.Msg), unhex(t, c.Sig)); accepted != (c.Result == "valid") {
				t.Errorf("case %d (%s): accepted %v, want %s", c.TcID, c.Comment, accepted, c.Result)
			}
		}
	}
	if ran == 0 {
		t.Fatal("no case has run")
	}
	t.Logf("%d cases", ran)
}

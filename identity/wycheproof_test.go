package identity_test

import (
	"bytes"
	"crypto/ecdh"
	"errors"
	"slices"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/testvectors"
)

// TestS2_3_Wycheproof: "acceptable" leaves the choice to us. We chose: the twist is fine; what is not canonical is refused,
// although RFC 7748 section 7 recommends to take it, because a key shall have one encoding; and a point of small order is
// refused, because everybody agrees with it on zero.
func TestS2_3_Wycheproof(t *testing.T) {
	type xdhCase struct {
		testvectors.Case
		Public, Private, Shared testvectors.Hex
	}
	testvectors.Each(t, "x25519_test.json", 518, func(t *testing.T, _ testvectors.Group[xdhCase], c xdhCase) {
		_, err := identity.ParseAgreementPublicKey(c.Public)
		low := slices.Contains(c.Flags, "LowOrderPublic") || slices.Contains(c.Flags, "ZeroSharedSecret")
		// Not all that is not canonical has the flag: neither a set top bit nor some points of small order.
		loose := slices.Contains(c.Flags, "NonCanonicalPublic") || c.Public[31]&0x80 != 0
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
		if c.Valid() && err != nil && !loose {
			t.Errorf("case %d is valid and refused: %v", c.TcID, err)
		}
		if err == nil {
			checkAgreement(t, c.TcID, c.Public, c.Private, c.Shared)
		}
	})
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
	type eddsaCase struct {
		testvectors.Case
		Msg, Sig testvectors.Hex
	}
	testvectors.Each(t, "ed25519_test.json", 151, func(t *testing.T, g testvectors.Group[eddsaCase], c eddsaCase) {
		key, err := identity.ParseSigningPublicKey(g.PublicKey.PK)
		if err != nil {
			t.Errorf("key %x: %v", g.PublicKey.PK, err)
			return
		}
		if accepted := key.Verify(c.Msg, c.Sig); accepted != c.Valid() {
			t.Errorf("case %d (%s): accepted %v, want %s", c.TcID, c.Comment, accepted, c.Result)
		}
	})
}

package identity_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/identity"
)

// TestS2_4_SmallOrderIsWhatAgreementRefuses holds the list of points against crypto/ecdh: whatever bytes are canonical, both
// say the same.
func TestS2_4_SmallOrderIsWhatAgreementRefuses(t *testing.T) {
	private, err := ecdh.X25519().NewPrivateKey(seedOf("throwaway"))
	if err != nil {
		t.Fatal(err)
	}
	small := 0
	check := func(fail func(string, ...any), raw []byte) {
		public, err := ecdh.X25519().NewPublicKey(raw)
		if err != nil {
			fail("%x: %v", raw, err)
		}
		_, agreementErr := private.ECDH(public)
		_, err = identity.ParseBoxPublicKey(raw)
		if (agreementErr == nil) != (err == nil) {
			fail("%x: agreement %v, parser %v", raw, agreementErr, err)
		}
		if err != nil {
			small++
		}
	}
	for _, v := range loadVectors[struct {
		vector
		Key hexBytes
	}](t, "keys.json") {
		if v.Kind == "x25519" && (v.Expect == "ok" || v.Expect == "key-low-order") {
			check(t.Fatalf, v.Key)
		}
	}
	if small != 5 {
		t.Fatalf("%d points of small order among the vectors, want 5", small)
	}
	rapid.Check(t, func(rt *rapid.T) {
		raw := drawSeed(rt, "u")
		raw[31] &= 0x3f // far below p
		check(rt.Fatalf, raw)
	})
}

// TestS2_1_SmallOrderKeysVerifyInGo shows why the parser refuses them: crypto/ed25519 takes a signature by nobody.
func TestS2_1_SmallOrderKeysVerifyInGo(t *testing.T) {
	neutral, err := hex.DecodeString("0100000000000000000000000000000000000000000000000000000000000000")
	if err != nil {
		t.Fatal(err)
	}
	message, signature := []byte("anything"), append(bytes.Clone(neutral), make([]byte, 32)...)
	if !ed25519.Verify(neutral, message, signature) {
		t.Fatal("crypto/ed25519 refuses it by itself now: tell the comments")
	}
	if identity.SigningPublicKey(neutral).Verify(message, signature) {
		t.Fatal("accepted")
	}
}

package identity

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
)

// SignatureSize is the length of an Ed25519 signature in bytes.
const SignatureSize = ed25519.SignatureSize

// SigningPublicKey is an Ed25519 public key that S2.1 accepts: a user key or a device's signing key. Make one with
// ParseSigningPublicKey; the zero value verifies nothing.
type SigningPublicKey [32]byte

// AgreementPublicKey is a device's X25519 key for sessions that S2.3 and S2.4 accept. Make one with ParseAgreementPublicKey.
type AgreementPublicKey [32]byte

// BoxPublicKey is a device's X25519 key for boxes that S2.3 and S2.4 accept. Make one with ParseBoxPublicKey; the zero
// value has small order and seals nothing.
type BoxPublicKey [32]byte

// Signer holds an Ed25519 private key. cryptobox.SigningKey is one.
type Signer interface {
	PublicKey() SigningPublicKey
	// Sign gives the 64 bytes of an Ed25519 signature (RFC 8032, no prehash, no context).
	Sign(message []byte) ([]byte, error)
}

// ParseSigningPublicKey accepts an Ed25519 public key by S2.1. It fails with ErrKeyLength, ErrKeyNotCanonical,
// ErrKeyLowOrder or ErrKeyNotOnCurve.
func ParseSigningPublicKey(raw []byte) (SigningPublicKey, error) {
	if err := checkEd25519(raw); err != nil {
		return SigningPublicKey{}, err
	}
	return SigningPublicKey(raw), nil
}

// ParseAgreementPublicKey accepts an X25519 public key by S2.3 and S2.4. It fails with ErrKeyLength, ErrKeyNotCanonical
// or ErrKeyLowOrder.
func ParseAgreementPublicKey(raw []byte) (AgreementPublicKey, error) {
	if err := checkX25519(raw); err != nil {
		return AgreementPublicKey{}, err
	}
	return AgreementPublicKey(raw), nil
}

// ParseBoxPublicKey is ParseAgreementPublicKey for box keys.
func ParseBoxPublicKey(raw []byte) (BoxPublicKey, error) {
	if err := checkX25519(raw); err != nil {
		return BoxPublicKey{}, err
	}
	return BoxPublicKey(raw), nil
}

// Verify reports whether S2.2 accepts this signature of this message. It looks at the key again, since a Go conversion
// makes one that no parser has seen.
func (k SigningPublicKey) Verify(message, signature []byte) bool {
	return len(signature) == SignatureSize && checkEd25519Bytes(k[:]) == nil &&
		!lowOrderEd25519(signature[:32]) && ed25519.Verify(k[:], message, signature)
}

// String gives the key as base64 (the notation's b64).
func (k SigningPublicKey) String() string { return b64.EncodeToString(k[:]) }

// String gives the key as base64 (the notation's b64).
func (k AgreementPublicKey) String() string { return b64.EncodeToString(k[:]) }

// String gives the key as base64 (the notation's b64).
func (k BoxPublicKey) String() string { return b64.EncodeToString(k[:]) }

// b64 is the notation's b64, but that its decoder skips line breaks: isTokenText comes first.
var b64 = base64.RawURLEncoding.Strict()

// checkEd25519 is S2.1. The key is public: nothing here needs constant time.
func checkEd25519(raw []byte) error {
	if err := checkEd25519Bytes(raw); err != nil {
		return err
	}
	if !onEdwards25519(raw) {
		return ErrKeyNotOnCurve
	}
	return nil
}

// checkEd25519Bytes is S2.1 without the curve equation, which each verification solves anyhow.
func checkEd25519Bytes(raw []byte) error {
	switch {
	case len(raw) != 32:
		return ErrKeyLength
	case !belowPrime(raw):
		return ErrKeyNotCanonical
	case lowOrderEd25519(raw):
		return ErrKeyLowOrder
	}
	return nil
}

// checkX25519 is S2.3 and S2.4. For canonical u the agreement is all zero exactly for the points listed in curve.go,
// whatever the private key; a test asks crypto/ecdh about that.
func checkX25519(raw []byte) error {
	switch {
	case len(raw) != 32:
		return ErrKeyLength
	case raw[31]&0x80 != 0 || !belowPrime(raw):
		return ErrKeyNotCanonical
	case lowOrderX25519(raw):
		return ErrKeyLowOrder
	}
	return nil
}

func contains(list [][32]byte, raw []byte) bool {
	for i := range list {
		if bytes.Equal(list[i][:], raw) {
			return true
		}
	}
	return false
}

package cryptobox

import (
	"io"

	"golang.org/x/crypto/salsa20/salsa" //nolint:staticcheck // HSalsa20 is the step of crypto_box that box.Precompute hides

	"github.com/letterlock/letterlock/identity"
)

// BoxKey is a device's X25519 private key for boxes. It opens and seals boxes and does nothing else (S1.1).
type BoxKey struct {
	secret
	public identity.BoxPublicKey
}

// GenerateBoxKey makes a key of 32 bytes from random (nil: the operating system's).
func GenerateBoxKey(random io.Reader) (*BoxKey, error) {
	s, err := randomSecret(random, seedSize)
	if err != nil {
		return nil, err
	}
	return newBoxKey(s)
}

// BoxKeyFromSeed makes the key of this seed: the 32-byte private key of crypto_box. It fails with ErrSeed.
func BoxKeyFromSeed(seed []byte) (*BoxKey, error) {
	s, err := newSecret(seed, seedSize)
	if err != nil {
		return nil, err
	}
	return newBoxKey(s)
}

func newBoxKey(s secret) (*BoxKey, error) {
	public, err := x25519Public(s)
	if err != nil {
		return nil, err
	}
	checked, err := identity.ParseBoxPublicKey(public)
	if err != nil {
		return nil, err
	}
	return &BoxKey{secret: s, public: checked}, nil
}

// PublicKey gives the public key, also after Erase.
func (k *BoxKey) PublicKey() identity.BoxPublicKey { return k.public }

// precompute gives the key of all boxes between this key and a peer's: what box.Precompute of x/crypto gives, but that
// takes points of small order, with which everybody agrees on zero (S2.4).
func (k *BoxKey) precompute(peer identity.BoxPublicKey) (*[32]byte, error) {
	agreed, err := k.agree(peer)
	if err != nil {
		return nil, err
	}
	defer clear(agreed[:])
	var zero [16]byte
	shared := new([32]byte)
	salsa.HSalsa20(shared, &zero, &agreed, &salsa.Sigma)
	return shared, nil
}

package cryptobox

import (
	"crypto/ecdh"
	"io"

	"github.com/letterlock/letterlock/identity"
)

// AgreementKey is a device's X25519 private key for sessions. It never agrees on anything else (S1.1).
type AgreementKey struct {
	secret
	public identity.AgreementPublicKey
}

// GenerateAgreementKey makes a key of 32 bytes from random (nil: the operating system's).
func GenerateAgreementKey(random io.Reader) (*AgreementKey, error) {
	s, err := randomSecret(random, seedSize)
	if err != nil {
		return nil, err
	}
	return newAgreementKey(s)
}

// AgreementKeyFromSeed makes the key of this seed: RFC 7748's 32-byte private key. It fails with ErrSeed.
func AgreementKeyFromSeed(seed []byte) (*AgreementKey, error) {
	s, err := newSecret(seed, seedSize)
	if err != nil {
		return nil, err
	}
	return newAgreementKey(s)
}

func newAgreementKey(s secret) (*AgreementKey, error) {
	public, err := x25519Public(s)
	if err != nil {
		return nil, err
	}
	checked, err := identity.ParseAgreementPublicKey(public)
	if err != nil {
		return nil, err
	}
	return &AgreementKey{secret: s, public: checked}, nil
}

// PublicKey gives the public key, also after Erase.
func (k *AgreementKey) PublicKey() identity.AgreementPublicKey { return k.public }

// x25519Public makes the standard library's private key, which copies the seed, and gives its public key.
func x25519Public(s secret) ([]byte, error) {
	c := s.cell()
	private, err := ecdh.X25519().NewPrivateKey(c.seed)
	if err != nil {
		return nil, err
	}
	c.x25519 = private
	return private.PublicKey().Bytes(), nil
}

// agree gives the X25519 agreement with a peer's key. The peer's key is checked again, since a Go conversion makes one that
// no parser has seen (S2.3, S2.4); crypto/ecdh refuses the all-zero agreement by itself.
func (s secret) agree(peer [32]byte) ([32]byte, error) {
	c, err := s.open()
	if err != nil {
		return [32]byte{}, err
	}
	if _, err := identity.ParseAgreementPublicKey(peer[:]); err != nil {
		return [32]byte{}, err
	}
	public, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return [32]byte{}, err
	}
	agreed, err := c.x25519.ECDH(public)
	if err != nil {
		return [32]byte{}, identity.ErrKeyLowOrder
	}
	defer clear(agreed)
	return [32]byte(agreed), nil
}

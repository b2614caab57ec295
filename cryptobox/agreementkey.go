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
	s, err := randomSecret(random)
	if err != nil {
		return nil, err
	}
	return newAgreementKey(s)
}

// AgreementKeyFromSeed makes the key of this seed: RFC 7748's 32-byte private key. It fails with ErrSeed.
func AgreementKeyFromSeed(seed []byte) (*AgreementKey, error) {
	s, err := newSecret(seed)
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
	private, err := ecdh.X25519().NewPrivateKey(c.seed[:])
	if err != nil {
		return nil, err
	}
	c.x25519 = private
	return private.PublicKey().Bytes(), nil
}

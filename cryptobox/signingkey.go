package cryptobox

import (
	"crypto/ed25519"
	"io"

	"github.com/letterlock/letterlock/identity"
)

// SigningKey is an Ed25519 private key: a user key or a device's signing key. It is an identity.Signer.
type SigningKey struct {
	secret
	public identity.SigningPublicKey
}

var _ identity.Signer = (*SigningKey)(nil)

// GenerateSigningKey makes a key of 32 bytes from random (nil: the operating system's).
func GenerateSigningKey(random io.Reader) (*SigningKey, error) {
	s, err := randomSecret(random, seedSize)
	if err != nil {
		return nil, err
	}
	return newSigningKey(s)
}

// SigningKeyFromSeed makes the key of this seed: RFC 8032's 32-byte private key. It fails with ErrSeed.
func SigningKeyFromSeed(seed []byte) (*SigningKey, error) {
	s, err := newSecret(seed, seedSize)
	if err != nil {
		return nil, err
	}
	return newSigningKey(s)
}

func newSigningKey(s secret) (*SigningKey, error) {
	c := s.cell()
	c.ed25519 = ed25519.NewKeyFromSeed(c.seed)
	public, err := identity.ParseSigningPublicKey(c.ed25519[seedSize:])
	if err != nil {
		return nil, err
	}
	return &SigningKey{secret: s, public: public}, nil
}

// PublicKey gives the public key, also after Erase.
func (k *SigningKey) PublicKey() identity.SigningPublicKey { return k.public }

// Sign gives the 64 bytes of an Ed25519 signature (RFC 8032), or ErrErased.
func (k *SigningKey) Sign(message []byte) ([]byte, error) {
	c, err := k.open()
	if err != nil {
		return nil, err
	}
	return ed25519.Sign(c.ed25519, message), nil
}

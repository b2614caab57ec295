package cryptobox

import (
	"crypto/mlkem"
	"io"

	"github.com/letterlock/letterlock/identity"
)

// X25519Prekey is the private half of a signed or one-time X25519 prekey (R2). It agrees on the sessions that name it, and
// as the answerer's first ratchet key; on nothing else (S1.1).
type X25519Prekey struct {
	secret
	public [32]byte
}

// GenerateX25519Prekey makes a key of 32 bytes from random (nil: the operating system's).
func GenerateX25519Prekey(random io.Reader) (*X25519Prekey, error) {
	s, err := randomSecret(random, seedSize)
	if err != nil {
		return nil, err
	}
	return newX25519Prekey(s)
}

// X25519PrekeyFromSeed makes the key of this seed: RFC 7748's 32-byte private key. It fails with ErrSeed.
func X25519PrekeyFromSeed(seed []byte) (*X25519Prekey, error) {
	s, err := newSecret(seed, seedSize)
	if err != nil {
		return nil, err
	}
	return newX25519Prekey(s)
}

func newX25519Prekey(s secret) (*X25519Prekey, error) {
	public, err := x25519Public(s)
	if err != nil {
		return nil, err
	}
	if _, err := identity.ParseAgreementPublicKey(public); err != nil {
		return nil, err
	}
	return &X25519Prekey{secret: s, public: [32]byte(public)}, nil
}

// PublicKey gives the 32 bytes that a prekey statement carries, also after Erase.
func (k *X25519Prekey) PublicKey() []byte { return append([]byte(nil), k.public[:]...) }

// KEMPrekey is the private half of an ML-KEM-768 prekey (R2).
type KEMPrekey struct {
	secret
	public []byte
}

// GenerateKEMPrekey makes a key of 64 bytes from random (nil: the operating system's).
func GenerateKEMPrekey(random io.Reader) (*KEMPrekey, error) {
	s, err := randomSecret(random, kemSeedSize)
	if err != nil {
		return nil, err
	}
	return newKEMPrekey(s)
}

// KEMPrekeyFromSeed makes the key of this seed: d and z of FIPS 203, 64 bytes. It fails with ErrSeed.
func KEMPrekeyFromSeed(seed []byte) (*KEMPrekey, error) {
	s, err := newSecret(seed, kemSeedSize)
	if err != nil {
		return nil, err
	}
	return newKEMPrekey(s)
}

func newKEMPrekey(s secret) (*KEMPrekey, error) {
	c := s.cell()
	private, err := mlkem.NewDecapsulationKey768(c.seed)
	if err != nil {
		return nil, err
	}
	c.kem = private
	return &KEMPrekey{secret: s, public: private.EncapsulationKey().Bytes()}, nil
}

// PublicKey gives the 1,184 bytes that a prekey statement carries, also after Erase.
func (k *KEMPrekey) PublicKey() []byte { return append([]byte(nil), k.public...) }

// decapsulate gives the shared key of a KEM ciphertext. By FIPS 203 a forged ciphertext gives another key, not an error.
func (k *KEMPrekey) decapsulate(ciphertext []byte) ([]byte, error) {
	c, err := k.open()
	if err != nil {
		return nil, err
	}
	return c.kem.Decapsulate(ciphertext)
}

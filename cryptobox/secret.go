package cryptobox

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/mlkem"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
)

const (
	// seedSize is the length of a curve key's seed, in bytes.
	seedSize = 32
	// kemSeedSize is the length of an ML-KEM key's seed: d and z of FIPS 203.
	kemSeedSize = mlkem.SeedSize
)

const hidden = "[private key]"

// secret is what private keys embed. The seed lies behind a function: reflection cannot look into one, so that no printer
// shows it, not even of a struct that holds a key in an unexported field, where methods like Format are not asked. And == does
// not compile. Copies share the one seed, so that Erase reaches them all.
type secret struct {
	cell func() *cell
}

// cell holds a seed and, made once so that no use leaves another copy behind, the standard library's form of it.
type cell struct {
	seed    []byte
	ed25519 ed25519.PrivateKey
	x25519  *ecdh.PrivateKey
	kem     *mlkem.DecapsulationKey768
	erased  bool
}

// newSecret copies the seed.
func newSecret(seed []byte, size int) (secret, error) {
	if len(seed) != size {
		return secret{}, ErrSeed
	}
	c := &cell{seed: slices.Clone(seed)}
	return secret{func() *cell { return c }}, nil
}

// randomSecret reads a seed. The key generators of the standard library are no use here: some ignore their reader (V1).
func randomSecret(random io.Reader, size int) (secret, error) {
	seed := make([]byte, size)
	defer clear(seed)
	if err := readRandom(random, seed); err != nil {
		return secret{}, err
	}
	return newSecret(seed, size)
}

// readRandom fills b from random (nil: the operating system's).
func readRandom(random io.Reader, b []byte) error {
	if random == nil {
		random = rand.Reader
	}
	if _, err := io.ReadFull(random, b); err != nil {
		return fmt.Errorf("cryptobox: read random bytes: %w", err)
	}
	return nil
}

// open gives what may be used, or ErrErased; also for the zero value, which has never held anything.
func (s secret) open() (*cell, error) {
	if s.cell == nil || s.cell().erased {
		return nil, ErrErased
	}
	return s.cell(), nil
}

// Seed gives a copy of the bytes that the key is made of, for the store alone, or nil once it was erased.
func (s secret) Seed() []byte {
	c, err := s.open()
	if err != nil {
		return nil
	}
	return slices.Clone(c.seed)
}

// Erase overwrites the private key, and so that of every copy of the value. What the garbage collector or the standard library
// copied stays out of reach: this shortens the time in which memory shows the key, no more. An erased key only fails, with
// ErrErased. Do not erase a key that another goroutine uses.
func (s secret) Erase() {
	if s.cell == nil {
		return
	}
	c := s.cell()
	clear(c.seed)
	clear(c.ed25519)
	c.x25519, c.kem, c.erased = nil, nil, true
}

// Format prints a placeholder for every verb.
func (secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, hidden) }

// String gives a placeholder.
func (secret) String() string { return hidden }

// GoString gives a placeholder.
func (secret) GoString() string { return hidden }

// MarshalJSON fails with ErrSecret.
func (secret) MarshalJSON() ([]byte, error) { return nil, ErrSecret }

// MarshalText fails with ErrSecret.
func (secret) MarshalText() ([]byte, error) { return nil, ErrSecret }

// MarshalBinary fails with ErrSecret.
func (secret) MarshalBinary() ([]byte, error) { return nil, ErrSecret }

// GobEncode fails with ErrSecret.
func (secret) GobEncode() ([]byte, error) { return nil, ErrSecret }

package cryptobox

import (
	"io"

	"golang.org/x/crypto/nacl/box"

	"github.com/letterlock/letterlock/identity"
)

// BoxOverhead is how many bytes a ciphertext is longer than what it holds: the Poly1305 tag in front of it.
const BoxOverhead = box.Overhead

// NonceSize is the length of a box's nonce in bytes.
const NonceSize = 24

// Box is one sealed box: crypto_box as libsodium's crypto_box_easy writes it.
type Box struct {
	Nonce      [NonceSize]byte
	Ciphertext []byte // BoxOverhead bytes more than the plaintext
}

// Seal seals at most MaxContentSize bytes for the recipient under a nonce of 24 bytes from random (nil: the operating
// system's; a nonce that repeats gives the plaintexts away). It fails with ErrTooLong, ErrErased, or one of identity's
// key errors, among them identity.ErrKeyLowOrder (S2.4). B1 tells which keys may be used.
func Seal(random io.Reader, plaintext []byte, recipient identity.BoxPublicKey, sender *BoxKey) (Box, error) {
	if len(plaintext) > MaxContentSize {
		return Box{}, ErrTooLong
	}
	shared, err := sender.precompute(recipient)
	if err != nil {
		return Box{}, err
	}
	defer clear(shared[:])
	var sealed Box
	if err := readRandom(random, sealed.Nonce[:]); err != nil {
		return Box{}, err
	}
	sealed.Ciphertext = box.SealAfterPrecomputation(nil, plaintext, &sealed.Nonce, shared)
	return sealed, nil
}

// Open opens a box that the sender sealed for the recipient, or, since boxes are symmetric, the recipient for the sender:
// Content.Check tells them apart (B2.1). Whatever does not open is ErrForged; a key that must not be used is one of
// identity's key errors, among them identity.ErrKeyLowOrder, under which anyone could have sealed it.
func Open(sealed Box, sender identity.BoxPublicKey, recipient *BoxKey) ([]byte, error) {
	shared, err := recipient.precompute(sender)
	if err != nil {
		return nil, err
	}
	defer clear(shared[:])
	if len(sealed.Ciphertext) > MaxContentSize+BoxOverhead {
		return nil, ErrForged
	}
	plaintext, ok := box.OpenAfterPrecomputation(nil, sealed.Ciphertext, &sealed.Nonce, shared)
	if !ok {
		return nil, ErrForged
	}
	return plaintext, nil
}

package cryptobox

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"io"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

const linkContext = "letterlock/link/v1"

// LinkStep numbers the messages of a link (L1.4). Step 0, the new device's keys, is not sealed.
type LinkStep uint8

// The steps.
const (
	LinkStepKeys  LinkStep = iota // new device: its public keys
	LinkStepOffer                 // existing device: whose user it is
	LinkStepEntry                 // new device: its entry on that user's list
	LinkStepGrant                 // existing device: the list that names it
)

// MaxLinkMessage is the longest message of a link, in bytes.
const MaxLinkMessage = 8 << 10

// LinkChannel seals the messages of one link (L1.4): it stands on the one-time secret of the code, and on an agreement of the two
// transfer keys. Who saw the code alone opens nothing; who knows the keys alone, the server, seals nothing.
type LinkChannel struct {
	code      LinkCode
	agreed    secret
	ephemeral TransferPublicKey
}

// NewLinkChannel is the existing device's side: own is a transfer key made for this link, transfer the new device's. It fails
// with an identity key error for a key that must not be agreed with (S2.3, S2.4). The new device's side is OpenLinkOffer.
func NewLinkChannel(code LinkCode, own *TransferKey, transfer TransferPublicKey) (*LinkChannel, error) {
	return newLinkChannel(code, own, transfer, own.public)
}

func newLinkChannel(code LinkCode, own *TransferKey, peer, ephemeral TransferPublicKey) (*LinkChannel, error) {
	shared, err := own.agree(peer)
	if err != nil {
		return nil, err
	}
	defer clear(shared[:])
	agreed, err := newSecret(shared[:], len(shared))
	return &LinkChannel{code, agreed, ephemeral}, err
}

// Erase forgets what was agreed on. The code stays its owner's.
func (c *LinkChannel) Erase() { c.agreed.Erase() }

// Seal seals a message of a step under a random nonce (nil: the operating system's).
func (c *LinkChannel) Seal(random io.Reader, step LinkStep, plaintext []byte) ([]byte, error) {
	aead, err := c.aead(step)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(plaintext)+chacha20poly1305.Overhead)
	if err := readRandom(random, sealed); err != nil {
		return nil, err
	}
	return aead.Seal(sealed, sealed, plaintext, c.associated(step)), nil
}

// Open opens a message of a step. Whatever does not open is ErrForged.
func (c *LinkChannel) Open(step LinkStep, sealed []byte) ([]byte, error) {
	if len(sealed) < chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead || len(sealed) > MaxLinkMessage {
		return nil, ErrForged
	}
	aead, err := c.aead(step)
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:], c.associated(step))
	if err != nil {
		return nil, ErrForged
	}
	return plaintext, nil
}

// aead derives the key of a step: HKDF-SHA-256 with the one-time secret as salt (L1.4).
func (c *LinkChannel) aead(step LinkStep) (cipher.AEAD, error) {
	once, err := c.code.open()
	if err != nil {
		return nil, err
	}
	agreed, err := c.agreed.open()
	if err != nil {
		return nil, err
	}
	info := slices.Concat([]byte(linkContext), []byte{byte(step)}, c.code.keys[:], c.ephemeral[:])
	key, err := hkdf.Key(sha256.New, agreed.seed, once.seed, string(info), chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return chacha20poly1305.NewX(key)
}

func (c *LinkChannel) associated(step LinkStep) []byte {
	return append(slices.Clone(c.code.keys[:]), byte(step))
}

package cryptobox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"io"
	"slices"
	"strings"
)

const (
	linkSlotContext = "letterlock/link-slot/v1"
	linkCodePrefix  = "letterlock-link:"
	linkSecretSize  = 16
	linkSlotSize    = 16
	// maxLinkText bounds what is read as a code: one and white space around it.
	maxLinkText = 256
)

// linkBase32 is the notation's b32.
var linkBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// LinkCode is what a new device shows and an existing one reads (L1.2): a one-time secret, and the hash of the new device's keys.
// It is printed by Text alone.
type LinkCode struct {
	secret
	keys [linkHashSize]byte
}

// NewLinkCode makes the code of these keys with a secret from random (nil: the operating system's).
func NewLinkCode(random io.Reader, keys *LinkKeys) (LinkCode, error) {
	s, err := randomSecret(random, linkSecretSize)
	return LinkCode{s, keys.hash()}, err
}

// LinkCodeFromSeed makes the code that has this secret, as Seed gave it. It fails with ErrSeed.
func LinkCodeFromSeed(seed []byte, keys *LinkKeys) (LinkCode, error) {
	s, err := newSecret(seed, linkSecretSize)
	return LinkCode{s, keys.hash()}, err
}

// ParseLinkCode reads what Text gives; white space may stand around it. Anything else is ErrLinkCode.
func ParseLinkCode(text string) (LinkCode, error) {
	if len(text) > maxLinkText {
		return LinkCode{}, ErrLinkCode
	}
	encoded, ok := strings.CutPrefix(strings.Trim(text, whiteSpace), linkCodePrefix)
	if !ok {
		return LinkCode{}, ErrLinkCode
	}
	raw, err := linkBase32.DecodeString(encoded)
	// The decoder skips line breaks and takes spare bits that are not zero.
	if err != nil || len(raw) != linkSecretSize+linkHashSize || linkBase32.EncodeToString(raw) != encoded {
		return LinkCode{}, ErrLinkCode
	}
	defer clear(raw)
	s, err := newSecret(raw[:linkSecretSize], linkSecretSize)
	return LinkCode{s, [linkHashSize]byte(raw[linkSecretSize:])}, err
}

// Text gives the code for the eyes of the existing device alone: as text, or in a QR code. It is empty once the code was erased.
func (c LinkCode) Text() string {
	seed := c.Seed()
	if seed == nil {
		return ""
	}
	defer clear(seed)
	return linkCodePrefix + linkBase32.EncodeToString(slices.Concat(seed, c.keys[:]))
}

// Slot names the slot on the server (L1.3). It tells nothing of the secret.
func (c LinkCode) Slot() ([]byte, error) {
	inner, err := c.open()
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(append([]byte(linkSlotContext), inner.seed...))
	return hash[:linkSlotSize], nil
}

// Has reports whether this is the code's secret, as Seed gave it.
func (c LinkCode) Has(seed []byte) bool {
	inner, err := c.open()
	return err == nil && subtle.ConstantTimeCompare(inner.seed, seed) == 1
}

// Names reports whether these are the keys of the device that shows the code.
func (c LinkCode) Names(keys *LinkKeys) bool { return keys.hash() == c.keys }

package vault

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/device"
)

const (
	sealContext  = "letterlock/store/v1/seal"
	scopeContext = "letterlock/store/v1/scope"
	scopeSize    = 16
)

// ErrDamaged: a record does not open. Somebody changed it, or the disk did.
var ErrDamaged = errors.New("the store is damaged")

// Cipher hides where records are and what they hold.
type Cipher struct {
	aead     cipher.AEAD
	scopeKey []byte
}

// NewCipher derives the keys of a store. The store key may be cleared afterwards.
func NewCipher(storeKey []byte) (*Cipher, error) {
	sealKey, err := hkdf.Key(sha256.New, storeKey, nil, sealContext, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	defer clear(sealKey)
	scopeKey, err := hkdf.Key(sha256.New, storeKey, nil, scopeContext, sha256.Size)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(sealKey)
	if err != nil {
		return nil, err
	}
	return &Cipher{aead: aead, scopeKey: scopeKey}, nil
}

// Erase forgets what can be forgotten.
func (c *Cipher) Erase() { clear(c.scopeKey) }

// Scope is what stands for a collection and an owner: HMAC-SHA-256, cut to 16 bytes.
func (c *Cipher) Scope(collection device.Collection, owner string) []byte {
	mac := hmac.New(sha256.New, c.scopeKey)
	mac.Write([]byte(collection))
	mac.Write([]byte{0})
	mac.Write([]byte(owner))
	return mac.Sum(nil)[:scopeSize]
}

// place binds a sealed value to where it stands.
func place(scope []byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(sealContext), scope...), number)
}

// Seal gives nonce and ciphertext of a value padded with 0x80 and zeros.
func (c *Cipher) Seal(scope []byte, number uint64, value []byte) ([]byte, error) {
	padded := make([]byte, cryptobox.PaddedLength(len(value)+1))
	defer clear(padded)
	copy(padded, value)
	padded[len(value)] = 0x80
	sealed := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(padded)+chacha20poly1305.Overhead)
	if _, err := rand.Read(sealed); err != nil {
		return nil, fmt.Errorf("seal a record: %w", err)
	}
	return c.aead.Seal(sealed, sealed, padded, place(scope, number)), nil
}

// Open gives the value that Seal has sealed for this very place; ErrDamaged if it is anything else.
func (c *Cipher) Open(scope []byte, number uint64, sealed []byte) ([]byte, error) {
	if len(sealed) < chacha20poly1305.NonceSizeX {
		return nil, ErrDamaged
	}
	nonce, ciphertext := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	padded, err := c.aead.Open(nil, nonce, ciphertext, place(scope, number))
	if err != nil {
		return nil, ErrDamaged
	}
	end := bytes.LastIndexByte(padded, 0x80)
	if end < 0 {
		return nil, ErrDamaged
	}
	return padded[:end], nil
}

package vault

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// MaxKey is how long the text of a Key can be.
const MaxKey = 4096

const (
	keyVersion = 1
	keyContext = "letterlock/key/v1"
	saltSize   = 16
)

// Errors of keys.
var (
	// ErrPassphraseNeeded: the store key is wrapped under a passphrase, and none was given.
	ErrPassphraseNeeded = errors.New("this home is locked with a passphrase")
	// ErrPassphrase: the passphrase is wrong.
	ErrPassphrase = errors.New("the passphrase is wrong")
	// ErrKey: this can't be read as a key.
	ErrKey = errors.New("the key file is damaged")
	// ErrNewer: a newer release wrote it.
	ErrNewer = errors.New("the store was written by a newer release of Letterlock; use that one")

	errNotByChance = errors.New("vault: a store key is written by Text alone")
)

// Key is the store key as it is kept. What it holds lies behind a function, where printers and loggers cannot look; Text alone
// gives it away. Copies share it, so that Erase reaches them all.
type Key struct {
	inner func() *inner
}

// inner is what a Key holds, and how it is written.
type inner struct {
	Version int    `json:"version"`
	Key     []byte `json:"key"`            // 32 bytes; wrapped: nonce, ciphertext, tag
	KDF     *KDF   `json:"kdf,omitempty"`  // only if wrapped
	Salt    []byte `json:"salt,omitempty"` // only if wrapped
}

func (k *inner) hide() Key { return Key{func() *inner { return k }} }

// open gives what a key holds; the zero value holds nothing.
func (k Key) open() *inner {
	if k.inner == nil {
		return &inner{}
	}
	return k.inner()
}

// KDF holds the parameters of Argon2id.
type KDF struct {
	Time      uint32 `json:"time"`
	MemoryKiB uint32 `json:"memoryKiB"`
	Threads   uint8  `json:"threads"`
}

// defaultKDF is the second recommended choice of RFC 9106: 64 MiB, three passes.
func defaultKDF() *KDF { return &KDF{Time: 3, MemoryKiB: 64 << 10, Threads: 4} }

// check bounds what a key can make this machine do: at most 1 GiB and 20 passes.
func (k *KDF) check() error {
	if k.Time < 1 || k.Time > 20 || k.MemoryKiB < 8<<10 || k.MemoryKiB > 1<<20 || k.Threads < 1 || k.Threads > 32 {
		return ErrKey
	}
	return nil
}

func (k *KDF) key(passphrase, salt []byte) []byte {
	return argon2.IDKey(passphrase, salt, k.Time, k.MemoryKiB, k.Threads, chacha20poly1305.KeySize)
}

// NewKey makes a random store key, wrapped under the passphrase if there is one.
func NewKey(passphrase []byte) (Key, error) {
	storeKey := make([]byte, chacha20poly1305.KeySize)
	if _, err := rand.Read(storeKey); err != nil {
		return Key{}, fmt.Errorf("make a store key: %w", err)
	}
	return keep(storeKey, passphrase)
}

// ParseKey reads the JSON of a Key. It fails with ErrKey or ErrNewer.
func ParseKey(text []byte) (Key, error) {
	var read inner
	if len(text) > MaxKey || json.Unmarshal(text, &read) != nil {
		return Key{}, ErrKey
	}
	if read.Version > keyVersion {
		return Key{}, ErrNewer
	}
	return read.hide(), nil
}

// Text gives the key as JSON, for where it is kept alone.
func (k Key) Text() ([]byte, error) { return json.Marshal(k.open()) }

// keep takes the store key: it is cleared if it is wrapped.
func keep(storeKey, passphrase []byte) (Key, error) {
	k := &inner{Version: keyVersion, Key: storeKey}
	if len(passphrase) == 0 {
		return k.hide(), nil
	}
	defer clear(storeKey)
	k.KDF, k.Salt = defaultKDF(), make([]byte, saltSize)
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	if _, err := rand.Read(k.Salt); err != nil {
		return Key{}, err
	}
	if _, err := rand.Read(nonce); err != nil {
		return Key{}, err
	}
	wrapping := k.KDF.key(passphrase, k.Salt)
	defer clear(wrapping)
	aead, err := chacha20poly1305.NewX(wrapping)
	if err != nil {
		return Key{}, err
	}
	k.Key = aead.Seal(nonce, nonce, storeKey, []byte(keyContext))
	return k.hide(), nil
}

// Locked reports whether the store key is wrapped under a passphrase.
func (k Key) Locked() bool { return k.open().locked() }

func (k *inner) locked() bool { return k.KDF != nil }

// Open gives the store key. The passphrase is not looked at if there is none. It fails with ErrPassphraseNeeded, ErrPassphrase
// or ErrKey.
func (k Key) Open(passphrase []byte) ([]byte, error) { return k.open().storeKey(passphrase) }

func (k *inner) storeKey(passphrase []byte) ([]byte, error) {
	if !k.locked() {
		if len(k.Key) != chacha20poly1305.KeySize {
			return nil, ErrKey
		}
		return append([]byte(nil), k.Key...), nil
	}
	const sealed = chacha20poly1305.NonceSizeX + chacha20poly1305.KeySize + chacha20poly1305.Overhead
	if err := k.KDF.check(); err != nil || len(k.Salt) != saltSize || len(k.Key) != sealed {
		return nil, ErrKey
	}
	if len(passphrase) == 0 {
		return nil, ErrPassphraseNeeded
	}
	wrapping := k.KDF.key(passphrase, k.Salt)
	defer clear(wrapping)
	aead, err := chacha20poly1305.NewX(wrapping)
	if err != nil {
		return nil, err
	}
	nonce, ciphertext := k.Key[:chacha20poly1305.NonceSizeX], k.Key[chacha20poly1305.NonceSizeX:]
	storeKey, err := aead.Open(nil, nonce, ciphertext, []byte(keyContext))
	if err != nil {
		return nil, ErrPassphrase
	}
	return storeKey, nil
}

// Change gives the same store key under another passphrase; under none if it is empty. It fails as Open does.
func (k Key) Change(current, passphrase []byte) (Key, error) {
	storeKey, err := k.Open(current)
	if err != nil {
		return Key{}, err
	}
	return keep(storeKey, passphrase)
}

// Erase clears the key.
func (k Key) Erase() { clear(k.open().Key) }

// Format prints a placeholder for every verb.
func (Key) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "[store key]") }

// MarshalJSON fails: a key is written by Text, and by nothing that came upon it.
func (Key) MarshalJSON() ([]byte, error) { return nil, errNotByChance }

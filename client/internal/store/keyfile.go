package store

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

const (
	keyFile        = "key"
	keyFileVersion = 1
	maxKeyFile     = 4096
	keyContext     = "letterlock/key/v1"
)

// Errors about the key file.
var (
	// ErrPassphraseNeeded: the store key is wrapped under a passphrase, and none was given.
	ErrPassphraseNeeded = errors.New("this home is locked with a passphrase")
	// ErrPassphrase: the passphrase is wrong.
	ErrPassphrase = errors.New("the passphrase is wrong")
	// ErrNoPassphrase: a passphrase was given for a home that has none.
	ErrNoPassphrase = errors.New("this home has no passphrase")
	// ErrKeyFile: the key file can't be read as one.
	ErrKeyFile = errors.New("the key file is damaged")
)

// keyRecord is the key file, as JSON.
type keyRecord struct {
	Version int    `json:"version"`
	Key     []byte `json:"key"`            // 32 bytes; wrapped: nonce, ciphertext, tag
	KDF     *kdf   `json:"kdf,omitempty"`  // only if wrapped
	Salt    []byte `json:"salt,omitempty"` // only if wrapped
}

// kdf holds the parameters of Argon2id.
type kdf struct {
	Time      uint32 `json:"time"`
	MemoryKiB uint32 `json:"memoryKiB"`
	Threads   uint8  `json:"threads"`
}

// defaultKDF is the second recommended choice of RFC 9106: 64 MiB, three passes.
func defaultKDF() *kdf { return &kdf{Time: 3, MemoryKiB: 64 << 10, Threads: 4} }

// check bounds what a key file can make this machine do: at most 1 GiB and 20 passes.
func (k *kdf) check() error {
	if k.Time < 1 || k.Time > 20 || k.MemoryKiB < 8<<10 || k.MemoryKiB > 1<<20 || k.Threads < 1 || k.Threads > 32 {
		return ErrKeyFile
	}
	return nil
}

func (k *kdf) key(passphrase, salt []byte) []byte {
	return argon2.IDKey(passphrase, salt, k.Time, k.MemoryKiB, k.Threads, chacha20poly1305.KeySize)
}

// createKey makes a random store key and writes it whole or not at all.
func createKey(home string, passphrase []byte) error {
	key := make([]byte, chacha20poly1305.KeySize)
	defer clear(key)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("make a store key: %w", err)
	}
	record := keyRecord{Version: keyFileVersion, Key: key}
	if passphrase != nil {
		if err := record.wrap(passphrase); err != nil {
			return err
		}
	}
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	defer clear(text)
	return writePrivateFile(filepath.Join(home, keyFile), append(text, '\n'))
}

func (r *keyRecord) wrap(passphrase []byte) error {
	r.KDF, r.Salt = defaultKDF(), make([]byte, 16)
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	if _, err := rand.Read(r.Salt); err != nil {
		return err
	}
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	wrapping := r.KDF.key(passphrase, r.Salt)
	defer clear(wrapping)
	aead, err := chacha20poly1305.NewX(wrapping)
	if err != nil {
		return err
	}
	r.Key = aead.Seal(nonce, nonce, r.Key, []byte(keyContext))
	return nil
}

// readKey gives the store key of a home.
func readKey(home string, passphrase func() ([]byte, error)) ([]byte, error) {
	path := filepath.Join(home, keyFile)
	if err := checkPrivateFile(path); err != nil {
		return nil, err
	}
	record, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	if record.KDF == nil {
		if len(record.Key) != chacha20poly1305.KeySize {
			return nil, ErrKeyFile
		}
		return record.Key, nil
	}
	if passphrase == nil {
		return nil, ErrPassphraseNeeded
	}
	given, err := passphrase()
	if err != nil {
		return nil, err
	}
	if len(given) == 0 {
		return nil, ErrPassphraseNeeded
	}
	return record.unwrap(given)
}

func (r *keyRecord) unwrap(passphrase []byte) ([]byte, error) {
	const sealed = chacha20poly1305.NonceSizeX + chacha20poly1305.KeySize + chacha20poly1305.Overhead
	if err := r.KDF.check(); err != nil || len(r.Salt) != 16 || len(r.Key) != sealed {
		return nil, ErrKeyFile
	}
	wrapping := r.KDF.key(passphrase, r.Salt)
	defer clear(wrapping)
	aead, err := chacha20poly1305.NewX(wrapping)
	if err != nil {
		return nil, err
	}
	nonce, ciphertext := r.Key[:chacha20poly1305.NonceSizeX], r.Key[chacha20poly1305.NonceSizeX:]
	key, err := aead.Open(nil, nonce, ciphertext, []byte(keyContext))
	if err != nil {
		return nil, ErrPassphrase
	}
	return key, nil
}

func readKeyFile(path string) (record keyRecord, err error) {
	file, err := os.Open(path) //nolint:gosec // the caller's own home
	if err != nil {
		return record, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return record, err
	}
	defer clear(text)
	if json.Unmarshal(text, &record) != nil {
		return record, ErrKeyFile
	}
	if record.Version > keyFileVersion {
		return record, ErrNewer
	}
	return record, nil
}

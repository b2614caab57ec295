package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/letterlock/letterlock/internal/vault"
)

const keyFile = "key"

// Errors about the key file.
var (
	// ErrPassphraseNeeded: the store key is wrapped under a passphrase, and none was given.
	ErrPassphraseNeeded = vault.ErrPassphraseNeeded
	// ErrPassphrase: the passphrase is wrong.
	ErrPassphrase = vault.ErrPassphrase
	// ErrNoPassphrase: a passphrase was given for a home that has none.
	ErrNoPassphrase = errors.New("this home has no passphrase")
	// ErrKeyFile: the key file can't be read as one.
	ErrKeyFile = vault.ErrKey
)

// createKey makes a random store key and writes it whole or not at all.
func createKey(home string, passphrase []byte) error {
	key, err := vault.NewKey(passphrase)
	if err != nil {
		return err
	}
	defer key.Erase()
	text, err := key.Text()
	if err != nil {
		return err
	}
	defer clear(text)
	return writePrivateFile(filepath.Join(home, keyFile), append(text, '\n'))
}

// readKey gives the store key of a home.
func readKey(home string, passphrase func() ([]byte, error)) ([]byte, error) {
	path := filepath.Join(home, keyFile)
	if err := checkPrivateFile(path); err != nil {
		return nil, err
	}
	key, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	defer key.Erase()
	if !key.Locked() {
		return key.Open(nil)
	}
	if passphrase == nil {
		return nil, ErrPassphraseNeeded
	}
	given, err := passphrase()
	if err != nil {
		return nil, err
	}
	return key.Open(given)
}

func readKeyFile(path string) (key vault.Key, err error) {
	file, err := os.Open(path) //nolint:gosec // the caller's own home
	if err != nil {
		return key, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err := io.ReadAll(io.LimitReader(file, vault.MaxKey))
	if err != nil {
		return key, err
	}
	defer clear(text)
	return vault.ParseKey(text)
}

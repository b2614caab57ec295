package vault_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/letterlock/letterlock/internal/vault"
)

func TestRecordOpensOnlyWhereItWasSealed(t *testing.T) {
	c, err := vault.NewCipher(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	scope, other := c.Scope("history", "a"), c.Scope("history", "b")
	sealed, err := c.Seal(scope, 1, []byte("a text"))
	if err != nil {
		t.Fatal(err)
	}
	if value, err := c.Open(scope, 1, sealed); err != nil || string(value) != "a text" {
		t.Errorf("got %q, %v", value, err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another owner":  func() ([]byte, error) { return c.Open(other, 1, sealed) },
		"another number": func() ([]byte, error) { return c.Open(scope, 2, sealed) },
		"a changed bit":  func() ([]byte, error) { return c.Open(scope, 1, changed) },
		"a part":         func() ([]byte, error) { return c.Open(scope, 1, sealed[:10]) },
	} {
		if _, err := open(); !errors.Is(err, vault.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyOpensWithItsPassphraseAlone(t *testing.T) {
	plain, err := vault.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	storeKey, err := plain.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := plain.Change(nil, []byte("right"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(locked)
	if err != nil {
		t.Fatal(err)
	}
	read, err := vault.ParseKey(text)
	if err != nil || !read.Locked() {
		t.Fatal(err, read.Locked())
	}
	if got, err := read.Open([]byte("right")); err != nil || !bytes.Equal(got, storeKey) {
		t.Errorf("the right passphrase: %v", err)
	}
	if _, err := read.Open([]byte("wrong")); !errors.Is(err, vault.ErrPassphrase) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if _, err := read.Open(nil); !errors.Is(err, vault.ErrPassphraseNeeded) {
		t.Errorf("no passphrase: %v", err)
	}
	if _, err := read.Change([]byte("wrong"), nil); !errors.Is(err, vault.ErrPassphrase) {
		t.Errorf("a change with a wrong passphrase: %v", err)
	}
}

// Whoever can write the key must not make the next start take all memory, or hours.
func TestKeyBoundsWhatItAsksFor(t *testing.T) {
	for name, change := range map[string]func(*vault.Key){
		"memory":  func(k *vault.Key) { k.KDF.MemoryKiB = 1<<20 + 1 },
		"passes":  func(k *vault.Key) { k.KDF.Time = 21 },
		"threads": func(k *vault.Key) { k.KDF.Threads = 0 },
		"salt":    func(k *vault.Key) { k.Salt = k.Salt[:8] },
		"key":     func(k *vault.Key) { k.Key = k.Key[:32] },
	} {
		k := vault.Key{Version: 1, Key: make([]byte, 72), Salt: make([]byte, 16), KDF: &vault.KDF{Time: 1, MemoryKiB: 8 << 10, Threads: 1}}
		change(&k)
		if _, err := k.Open([]byte("x")); !errors.Is(err, vault.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := vault.ParseKey([]byte(`{"version":2}`)); !errors.Is(err, vault.ErrNewer) {
		t.Errorf("a newer version: %v", err)
	}
}

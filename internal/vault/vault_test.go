package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
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
	text, err := locked.Text()
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
	good := func() map[string]any {
		return map[string]any{"version": 1, "key": make([]byte, 72), "salt": make([]byte, 16), "kdf": map[string]int{"time": 1, "memoryKiB": 8 << 10, "threads": 1}}
	}
	for name, c := range map[string]struct {
		field string
		value any
		want  error
	}{
		"nothing": {"version", 1, vault.ErrPassphrase},
		"memory":  {"kdf", map[string]int{"time": 1, "memoryKiB": 1<<20 + 1, "threads": 1}, vault.ErrKey},
		"passes":  {"kdf", map[string]int{"time": 21, "memoryKiB": 8 << 10, "threads": 1}, vault.ErrKey},
		"threads": {"kdf", map[string]int{"time": 1, "memoryKiB": 8 << 10, "threads": 0}, vault.ErrKey},
		"salt":    {"salt", make([]byte, 8), vault.ErrKey},
		"key":     {"key", make([]byte, 32), vault.ErrKey},
	} {
		fields := good()
		fields[c.field] = c.value
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		k, err := vault.ParseKey(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Open([]byte("x")); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := vault.ParseKey([]byte(`{"version":2}`)); !errors.Is(err, vault.ErrNewer) {
		t.Errorf("a newer version: %v", err)
	}
}

// A key, wherever it is held, shows its bytes to no printer, logger or encoder.
func TestStoreKeysAreNotPrinted(t *testing.T) {
	seed := make([]byte, 32)
	for i := range seed {
		seed[i] = byte(37*i + 11)
	}
	text, err := json.Marshal(map[string]any{"version": 1, "key": seed})
	if err != nil {
		t.Fatal(err)
	}
	key, err := vault.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := key.Open(nil); err != nil || !bytes.Equal(opened, seed) {
		t.Fatalf("it holds %x, %v", opened, err)
	}
	type holder struct {
		Shown  vault.Key
		hidden *vault.Key
		value  vault.Key
	}
	for name, held := range map[string]any{
		"a key": key, "a pointer": &key, "a slice": []vault.Key{key}, "a map": map[string]*vault.Key{"key": &key}, "a holder": holder{key, &key, key},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%08b", "%o", "%c", "%U"} {
			fmt.Fprintf(&out, verb+"\n", held)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "key", held, slog.Group("g", "key", held))
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "key", held, slog.Group("g", "key", held))
		if text, err := json.Marshal(held); err == nil {
			t.Errorf("JSON of %s: %s", name, text)
		}
		_ = gob.NewEncoder(&out).Encode(held) // what it has written until it failed
		for _, spelled := range []string{
			string(seed[:8]), fmt.Sprintf("%x", seed[:8]), fmt.Sprintf("%X", seed[:8]), strings.Trim(fmt.Sprint(seed[:8]), "[]"),
			strings.Trim(strings.TrimPrefix(fmt.Sprintf("%#v", seed[:8]), "[]byte"), "{}"), base64.StdEncoding.EncodeToString(seed[:9]),
		} {
			if strings.Contains(out.String(), spelled) {
				t.Errorf("%s shows its bytes: %q", name, out.String())
			}
		}
	}
}

package vault_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/letterlock/letterlock/internal/vault"
)

// Whatever lies where a key should: it is refused in words of ours, or opens to a key, and no file costs more than its bounds.
func FuzzParseKey(f *testing.F) {
	bare, err := vault.NewKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	text, err := bare.Text()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(text), `{}`, `null`, `[]`, ``, `{"version":2}`, `{"version":-1}`, `{"version":1,"key":"AA=="}`, `{"version":1,"kdf":{},"salt":"","key":""}`,
		`{"version":1,"kdf":{"time":4294967295,"memoryKiB":4294967295,"threads":255},"salt":"AAAAAAAAAAAAAAAAAAAAAA==","key":"AA=="}`,
		`{"version":1,"kdf":{"time":-1}}`, `{"VERSION":1,"Key":null}`, string(text) + "{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := vault.ParseKey(text)
		if err != nil {
			if !errors.Is(err, vault.ErrKey) && !errors.Is(err, vault.ErrNewer) {
				t.Fatalf("an error of no class: %v", err)
			}
			return
		}
		// Without a passphrase, since each try with one takes the time that it is meant to take.
		opened, err := key.Open(nil)
		switch {
		case err == nil && (key.Locked() || len(opened) != 32):
			t.Fatalf("%q opens to %d bytes", text, len(opened))
		case err != nil && !errors.Is(err, vault.ErrKey) && !errors.Is(err, vault.ErrPassphraseNeeded):
			t.Fatalf("an error of no class: %v", err)
		}
		again, err := key.Text()
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > vault.MaxKey {
			return
		}
		read, err := vault.ParseKey(again)
		if err != nil {
			t.Fatalf("%q is written as %s, which is no key: %v", text, again, err)
		}
		if twice, err := read.Text(); err != nil || !bytes.Equal(twice, again) {
			t.Fatalf("%q comes back as %s, then as %s, %v", text, again, twice, err)
		}
	})
}

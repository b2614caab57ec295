package vault_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/letterlock/letterlock/internal/vault"
)

// Whatever lies in a store: it is damaged, or one of the records that were sealed, where it was sealed.
func FuzzCipherOpen(f *testing.F) {
	c, err := vault.NewCipher(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	here, there := c.Scope("history", "a"), c.Scope("outbox", "a")
	values := [][]byte{nil, []byte("a text"), {0x80}, bytes.Repeat([]byte{0x80, 0}, 200)}
	number := uint64(0)
	for _, value := range values {
		sealed, err := c.Seal(here, number, value)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sealed, number)
		number++
		f.Add(sealed, number)
	}
	f.Add([]byte{}, uint64(0))
	f.Add(make([]byte, 24), uint64(1))
	f.Fuzz(func(t *testing.T, input []byte, number uint64) {
		if value, err := c.Open(there, number, input); !errors.Is(err, vault.ErrDamaged) || value != nil {
			t.Fatalf("opened at another place: %x, %v", value, err)
		}
		value, err := c.Open(here, number, input)
		if err != nil {
			if !errors.Is(err, vault.ErrDamaged) || value != nil {
				t.Fatalf("an error of no class, or a value with it: %v", err)
			}
			return
		}
		// Each process of a fuzz run seals anew, and gets what the others have sealed.
		if number >= uint64(len(values)) || !bytes.Equal(value, values[number]) {
			t.Fatalf("%x opens as %x at %d", input, value, number)
		}
	})
}

// Whatever is sealed comes back, and any changed bit, or another place, is damage.
func FuzzCipherSeal(f *testing.F) {
	c, err := vault.NewCipher(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("a text"), uint64(1), uint16(0))
	f.Add([]byte{0x80, 0, 0x80, 0, 0}, uint64(1)<<63, uint16(500))
	f.Add([]byte{}, uint64(0), uint16(191))
	f.Fuzz(func(t *testing.T, value []byte, number uint64, bit uint16) {
		scope := c.Scope("history", "a")
		sealed, err := c.Seal(scope, number, value)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Open(scope, number, sealed); err != nil || !bytes.Equal(got, value) {
			t.Fatalf("%x comes back as %x, %v", value, got, err)
		}
		if _, err := c.Open(scope, number^1, sealed); !errors.Is(err, vault.ErrDamaged) {
			t.Fatalf("it opens at another number: %v", err)
		}
		at := int(bit) % (8 * len(sealed))
		sealed[at/8] ^= 1 << (at % 8)
		if _, err := c.Open(scope, number, sealed); !errors.Is(err, vault.ErrDamaged) {
			t.Fatalf("with bit %d changed it opens: %v", at, err)
		}
	})
}

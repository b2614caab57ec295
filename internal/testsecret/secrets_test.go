package testsecret_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/letterlock/letterlock/internal/testsecret"
)

// A secret is found in every form in which Go prints one, and nothing else is.
func TestSecretsAreFound(t *testing.T) {
	secret := make([]byte, 48)
	_, _ = rand.Read(secret)
	secrets := testsecret.New()
	secrets.Add("it", secret)
	for how, text := range map[string]string{
		"raw": string(secret), "hex": fmt.Sprintf("key=%x", secret), "HEX": fmt.Sprintf("%X", secret[5:20]), "decimal": fmt.Sprint(secret),
		"syntax": fmt.Sprintf("%#v", secret), "base64": base64.StdEncoding.EncodeToString(secret), "base64 in another text": base64.RawURLEncoding.EncodeToString(append([]byte("a"), secret...)),
		"a word": fmt.Sprintf("main.f(0x1, 0x%x)", binary.LittleEndian.Uint64(secret[3:])), "a panic": fmt.Sprintf("panic: %v", [32]byte(secret)),
	} {
		if !slices.Equal(secrets.In([]byte(text)), []string{"it"}) {
			t.Errorf("%s: it is not found in %q", how, text)
		}
	}
	other := bytes.Repeat([]byte("0x1, 0x2, 3 "), 100)
	if found := secrets.In(other); len(found) > 0 {
		t.Error("it is found where it is not")
	}
}

// Stacks show arguments that are arrays and words, and those are found.
func TestSecretsAreFoundInStacks(t *testing.T) {
	secret := make([]byte, 16)
	_, _ = rand.Read(secret)
	secrets := testsecret.New()
	secrets.Add("it", secret)
	for how, stack := range map[string][]byte{"an array": array([8]byte(secret)), "a word": word(binary.LittleEndian.Uint64(secret))} {
		if len(secrets.In(stack)) == 0 {
			t.Errorf("%s: it is not found in %s", how, stack)
		}
	}
	if stack := slice(secret); len(secrets.In(stack)) > 0 {
		t.Errorf("a slice is printed with what it holds: %s", stack)
	}
}

//go:noinline
func array(bytes [8]byte) []byte { return append(debug.Stack(), bytes[0]) }

//go:noinline
func word(n uint64) []byte { return append(debug.Stack(), byte(n)) }

//go:noinline
func slice(bytes []byte) []byte { return append(debug.Stack(), bytes[0]) }

package client_test

import (
	"bytes"
	"crypto/rand"
	"testing"
)

// needles are spellings of secrets by their first bytes, so that many are looked for at once.
type needles map[[needleHead]byte][]needle

const needleHead = 6

type needle struct {
	what    string
	spelled []byte
}

func (n needles) add(what string, secret []byte) {
	for _, spelled := range spellings(secret) {
		if len(spelled) < needleHead {
			continue
		}
		head := [needleHead]byte(spelled)
		n[head] = append(n[head], needle{what, spelled})
	}
}

// in gives what of the needles content holds.
func (n needles) in(content []byte) map[string]bool {
	found := map[string]bool{}
	for ; len(content) >= needleHead; content = content[1:] {
		for _, needle := range n[[needleHead]byte(content)] {
			if bytes.HasPrefix(content, needle.spelled) {
				found[needle.what] = true
			}
		}
	}
	return found
}

// The search finds a secret in every spelling, wherever it stands.
func TestNeedlesAreFound(t *testing.T) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		t.Fatal(err)
	}
	hay := needles{}
	hay.add("it", secret)
	for how, spelled := range spellings(secret) {
		if !hay.in(append([]byte("key="), append(spelled, '"')...))["it"] {
			t.Errorf("%s is not found", how)
		}
	}
	if hay.in(bytes.Repeat([]byte("key"), 100))["it"] {
		t.Error("it is found where it is not")
	}
}

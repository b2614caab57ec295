package identity_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// addSeeds adds a vector file's inputs to a fuzz target's corpus, and fails if that leaves it empty.
func addSeeds[V any](f *testing.F, file string, add func(V)) {
	f.Helper()
	for _, v := range loadVectors[V](f, file) { // fails for an empty file
		add(v)
	}
}

type statementSeed struct{ Statement hexBytes }

func FuzzParseEntry(f *testing.F) {
	addSeeds(f, "entries.json", func(v statementSeed) { f.Add([]byte(v.Statement)) })
	f.Fuzz(func(t *testing.T, input []byte) {
		entry, err := identity.ParseEntry(input)
		if err != nil {
			if !errors.Is(err, identity.ErrStatement) {
				t.Fatalf("an error of no class: %v", err)
			}
			return
		}
		if !bytes.Equal(entry.Statement(), input) || entry.Protocols == 0 || entry.CreatedAt.Before(time.Unix(0, 0)) {
			t.Fatalf("accepted %x as %+v", input, entry)
		}
	})
}

func FuzzParseDeviceList(f *testing.F) {
	addSeeds(f, "lists.json", func(v statementSeed) { f.Add([]byte(v.Statement)) })
	f.Fuzz(func(t *testing.T, input []byte) {
		list, err := identity.ParseDeviceList(input)
		if err != nil {
			if !errors.Is(err, identity.ErrStatement) || list != nil {
				t.Fatalf("an error of no class, or a list with it: %v", err)
			}
			return
		}
		if !bytes.Equal(list.Statement(), input) || list.Version == 0 || len(list.Entries) == 0 {
			t.Fatalf("accepted %x", input)
		}
	})
}

func FuzzVerifyToken(f *testing.F) {
	type tokenSeed struct {
		Token string
		Key   hexBytes
	}
	addSeeds(f, "tokens.json", func(v tokenSeed) { f.Add(v.Token, []byte(v.Key)) })
	f.Fuzz(func(t *testing.T, raw string, keyBytes []byte) {
		device, user, err := identity.ParseTokenDevice(raw)
		if err != nil && !errors.Is(err, identity.ErrToken) {
			t.Fatalf("an error of no class: %v", err)
		}
		key, keyErr := identity.ParseSigningPublicKey(keyBytes)
		if keyErr != nil {
			return
		}
		now := time.Unix(1767323045, 0)
		token, verifyErr := identity.VerifyToken(raw, key, []string{"https://chat.example.org"}, now)
		if verifyErr != nil {
			return
		}
		if err != nil || token.Device != device || token.User != user || device != identity.NewDeviceID(key) ||
			len(raw) > identity.MaxTokenSize || !token.ExpiresAt.After(now) {
			t.Fatalf("accepted %q", raw)
		}
	})
}

func FuzzOrigin(f *testing.F) {
	for _, c := range originCases {
		f.Add(c.url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		origin, err := identity.Origin(url)
		if err != nil {
			if !errors.Is(err, identity.ErrOrigin) || origin != "" {
				t.Fatalf("%q, %v", origin, err)
			}
			return
		}
		if again, err := identity.Origin(origin); err != nil || again != origin {
			t.Fatalf("%q has the origin %q, which has the origin %q, %v", url, origin, again, err)
		}
	})
}

package identity_test

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

func TestSeedVectors(t *testing.T) {
	type seedVector struct {
		vector
		Seed, Key hexBytes
	}
	eachVector(t, "seeds.json", func(t *testing.T, v seedVector) {
		if v.Kind == "ed25519" {
			if got := signingKey(t, v.Seed).PublicKey(); !bytes.Equal(got[:], v.Key) {
				t.Fatalf("public key %s", got)
			}
			return
		}
		agreement, err := cryptobox.AgreementKeyFromSeed(v.Seed)
		if err != nil {
			t.Fatal(err)
		}
		if got := agreement.PublicKey(); !bytes.Equal(got[:], v.Key) {
			t.Fatalf("public key %s", got)
		}
		box, err := cryptobox.BoxKeyFromSeed(v.Seed)
		if err != nil {
			t.Fatal(err)
		}
		if got := box.PublicKey(); !bytes.Equal(got[:], v.Key) {
			t.Fatalf("public key %s", got)
		}
	})
}

func TestIDVectors(t *testing.T) {
	type idVector struct {
		vector
		Key  hexBytes
		Text string
	}
	eachVector(t, "ids.json", func(t *testing.T, v idVector) {
		var text, derived string
		var err error
		if v.Kind == "user" {
			var id identity.UserID
			id, err = identity.ParseUserID(v.Text)
			text = id.String()
		} else {
			var id identity.DeviceID
			id, err = identity.ParseDeviceID(v.Text)
			text = id.String()
		}
		v.wantClass(t, err)
		if err == nil && text != v.Text {
			t.Errorf("parsed and written again: %q", text)
		}
		if v.Key == nil {
			return
		}
		key, err := identity.ParseSigningPublicKey(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		if derived = identity.NewDeviceID(key).String(); v.Kind == "user" {
			derived = identity.NewUserID(key).String()
		}
		if derived != v.Text {
			t.Errorf("derived %q, want %q", derived, v.Text)
		}
	})
}

func TestKeyVectors(t *testing.T) {
	type keyVector struct {
		vector
		Key hexBytes
	}
	eachVector(t, "keys.json", func(t *testing.T, v keyVector) {
		if v.Kind == "ed25519" {
			_, err := identity.ParseSigningPublicKey(v.Key)
			v.wantClass(t, err)
			return
		}
		_, err := identity.ParseAgreementPublicKey(v.Key)
		v.wantClass(t, err)
		_, err = identity.ParseBoxPublicKey(v.Key)
		v.wantClass(t, err)
	})
}

func TestSignatureVectors(t *testing.T) {
	type signatureVector struct {
		vector
		Key, Message, Signature hexBytes
	}
	eachVector(t, "signatures.json", func(t *testing.T, v signatureVector) {
		// A conversion, not the parser: Verify must refuse bad keys by itself.
		accepted := identity.SigningPublicKey(v.Key).Verify(v.Message, v.Signature)
		if accepted != (v.Expect == "ok") {
			t.Fatalf("accepted: %v", accepted)
		}
	})
}

// entryInputs is what a vector's entry was made of.
type entryInputs struct {
	SigningSeed, User, Agreement, Box hexBytes
	Protocols                         identity.Protocols
	CreatedAt                         int64 `json:",string"`
}

func (in entryInputs) sign(t *testing.T) identity.Entry {
	t.Helper()
	fields := identity.EntryFields{
		UserID: identity.UserID(in.User), AgreementKey: identity.AgreementPublicKey(in.Agreement),
		Protocols: in.Protocols, CreatedAt: time.UnixMicro(in.CreatedAt),
	}
	if in.Box != nil {
		fields.BoxKey = identity.BoxPublicKey(in.Box)
	}
	entry, err := identity.SignEntry(fields, signingKey(t, in.SigningSeed))
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

func TestEntryVectors(t *testing.T) {
	type entryVector struct {
		vector
		Statement hexBytes
		Inputs    *entryInputs
	}
	eachVector(t, "entries.json", func(t *testing.T, v entryVector) {
		entry, err := identity.ParseEntry(v.Statement)
		v.wantClass(t, err)
		if err != nil {
			return
		}
		if !bytes.Equal(entry.Statement(), v.Statement) {
			t.Error("parsed and written again: other bytes")
		}
		if made := v.Inputs.sign(t); !bytes.Equal(made.Statement(), v.Statement) {
			t.Errorf("made of the same inputs: %x", made.Statement())
		}
		if entry.CreatedAt.UnixMicro() != v.Inputs.CreatedAt || entry.Protocols != v.Inputs.Protocols ||
			!bytes.Equal(entry.AgreementKey[:], v.Inputs.Agreement) || !bytes.Equal(entry.UserID[:], v.Inputs.User) {
			t.Errorf("parsed %+v", entry)
		}
	})
}

func TestDeviceListVectors(t *testing.T) {
	type listVector struct {
		vector
		Statement, Hash hexBytes
	}
	eachVector(t, "lists.json", func(t *testing.T, v listVector) {
		list, err := identity.ParseDeviceList(v.Statement)
		v.wantClass(t, err)
		if err != nil {
			return
		}
		if !bytes.Equal(list.Statement(), v.Statement) {
			t.Error("parsed and written again: other bytes")
		}
		if hash := list.Hash(); !bytes.Equal(hash[:], v.Hash) || hash != sha256.Sum256(v.Statement) {
			t.Errorf("hash %x", hash)
		}
		for _, entry := range list.Entries {
			if found, ok := list.Entry(entry.DeviceID()); !ok || found.SigningKey != entry.SigningKey {
				t.Errorf("entry of %s is not found", entry.DeviceID())
			}
		}
	})
}

func TestChainVectors(t *testing.T) {
	type chainVector struct {
		vector
		User       hexBytes
		Statements []hexBytes
	}
	eachVector(t, "chains.json", func(t *testing.T, v chainVector) {
		chain := identity.NewChain(identity.UserID(v.User))
		last := len(v.Statements) - 1
		for _, statement := range v.Statements[:last] {
			if err := chain.Extend(statement); err != nil {
				t.Fatalf("refused before the last: %v", err)
			}
		}
		version, held := chain.Version(), chain.Statements()
		err := chain.Extend(v.Statements[last])
		v.wantClass(t, err)
		if err != nil && (chain.Version() != version || len(chain.Statements()) != len(held)) {
			t.Error("what was refused changed the chain")
		}
	})
}

func TestTokenVectors(t *testing.T) {
	type tokenVector struct {
		vector
		Token           string
		Key, User, Seed hexBytes
		Audiences       []string
		Now             int64
	}
	eachVector(t, "tokens.json", func(t *testing.T, v tokenVector) {
		now := time.Unix(v.Now, 0)
		token, err := identity.VerifyToken(v.Token, identity.SigningPublicKey(v.Key), v.Audiences, now)
		if err == nil {
			err = token.CheckUser(identity.UserID(v.User))
		}
		v.wantClass(t, err)
		for _, part := range strings.Split(v.Token, ".") {
			if err != nil && part != "" && strings.Contains(err.Error(), part) {
				t.Errorf("the error shows the token: %v", err)
			}
		}
		if v.Seed == nil {
			return
		}
		made, err := identity.NewToken(signingKey(t, v.Seed), identity.UserID(v.User), v.Audiences[0], now)
		if err != nil || made != v.Token {
			t.Errorf("made of the same inputs: %q, %v", made, err)
		}
	})
}

func signingKey(t testing.TB, seed []byte) *cryptobox.SigningKey {
	t.Helper()
	key, err := cryptobox.SigningKeyFromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

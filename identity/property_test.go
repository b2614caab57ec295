package identity_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

func drawSeed(rt *rapid.T, label string) []byte {
	return rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, label)
}

func TestN1_EntryIsParsedAndMadeAgainAsTheSameBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		signing, err := cryptobox.SigningKeyFromSeed(drawSeed(rt, "signing"))
		if err != nil {
			rt.Fatal(err)
		}
		agreement, err := cryptobox.AgreementKeyFromSeed(drawSeed(rt, "agreement"))
		if err != nil {
			rt.Fatal(err)
		}
		fields := identity.EntryFields{
			UserID:       identity.UserID(drawSeed(rt, "user")[:20]),
			AgreementKey: agreement.PublicKey(),
			Protocols:    identity.Protocols(rapid.Uint16Min(1).Draw(rt, "protocols")),
			CreatedAt:    time.UnixMicro(rapid.Int64Min(0).Draw(rt, "created")).UTC(),
		}
		if fields.Protocols.Has(identity.ProtocolBox) {
			seed := agreement.Seed()
			seed[1] ^= rapid.ByteMin(1).Draw(rt, "box") // another key, as S1.1 wants it
			box, err := cryptobox.BoxKeyFromSeed(seed)
			if err != nil {
				rt.Fatal(err)
			}
			fields.BoxKey = box.PublicKey()
		}
		made, err := identity.SignEntry(fields, signing)
		if err != nil {
			rt.Fatal(err)
		}
		read, err := identity.ParseEntry(made.Statement())
		if err != nil {
			rt.Fatal(err)
		}
		got := identity.EntryFields{
			UserID: read.UserID, AgreementKey: read.AgreementKey, Protocols: read.Protocols,
			CreatedAt: read.CreatedAt, BoxKey: read.BoxKey,
		}
		if got != fields || read.SigningKey != signing.PublicKey() {
			rt.Fatalf("read %+v, made of %+v", got, fields)
		}
		again, err := identity.SignEntry(got, signing)
		if err != nil || !bytes.Equal(again.Statement(), made.Statement()) {
			rt.Fatalf("made again: other bytes, %v", err)
		}
	})
}

func TestS4_1_EntryWithAnyBitFlippedIsRefused(t *testing.T) {
	good := newPerson(t, "alice").entry("phone").Statement()
	for bit := range len(good) * 8 {
		bad := slices.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := identity.ParseEntry(bad); !errors.Is(err, identity.ErrStatement) {
			t.Fatalf("bit %d of byte %d: %v", bit%8, bit/8, err)
		}
	}
}

func TestS3_1_ListWithAnyBitFlippedIsRefused(t *testing.T) {
	alice := newPerson(t, "alice")
	v1 := alice.list(nil, "phone", alice.entry("phone"))
	v2 := alice.list(v1, "phone", alice.entry("phone"), alice.entry("laptop"))
	// Its author is not on it: only the chain can check that signature.
	v3 := alice.list(v2, "phone", alice.entry("laptop"))
	for _, c := range []struct {
		chain *identity.Chain
		next  []byte
		step  int // in bits; 9 meets every byte, each with another bit than the one before
	}{{alice.chain(), v1, 1}, {alice.chain(v1), v2, 9}, {alice.chain(v1, v2), v3, 9}} {
		for bit := 0; bit < len(c.next)*8; bit += c.step {
			bad := slices.Clone(c.next)
			bad[bit/8] ^= 1 << (bit % 8)
			if err := c.chain.Extend(bad); err == nil {
				t.Fatalf("version %d: bit %d of byte %d: accepted", c.chain.Version()+1, bit%8, bit/8)
			}
		}
		if err := c.chain.Extend(c.next); err != nil {
			t.Fatalf("after all the refusals: %v", err)
		}
	}
}

func TestN1_ListCutAnywhereIsRefused(t *testing.T) {
	alice := newPerson(t, "alice")
	v1 := alice.list(nil, "phone", alice.entry("phone"))
	for n := range v1 {
		if _, err := identity.ParseDeviceList(v1[:n]); err == nil {
			t.Fatalf("%d bytes: accepted", n)
		}
		if _, err := identity.ParseEntry(v1[114 : 114+min(n, 208)]); err == nil {
			t.Fatalf("%d bytes of the entry: accepted", n)
		}
	}
}

// TestS3_3_ChainFollowsItsModel lets devices come, change and go as one pleases. A model that knows the rules by heart says
// what must be accepted; the chain must agree and remember everybody's standing.
func TestS3_3_ChainFollowsItsModel(t *testing.T) {
	alice := newPerson(t, "alice")
	names := []string{"phone", "a", "b", "c"}
	rapid.Check(t, func(rt *rapid.T) {
		statement := alice.list(nil, "phone", alice.entry("phone"))
		chain := alice.chain(statement)
		accepts := map[string]identity.Protocols{"phone": identity.ProtocolBox}
		dropped := map[string]identity.Protocols{}
		removed := map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			next := map[string]identity.Protocols{}
			var entries []identity.Entry
			sound := true
			for _, name := range names {
				if name != "phone" && !rapid.Bool().Draw(rt, name+" is listed") {
					continue
				}
				protocols := identity.Protocols(rapid.Uint16Range(1, 3).Draw(rt, name+" accepts"))
				next[name] = protocols
				entries = append(entries, alice.entry(name, func(f *identity.EntryFields) { f.Protocols = protocols }))
				sound = sound && !removed[name] && dropped[name]&protocols == 0
			}
			candidate := alice.list(statement, "phone", entries...)
			original, version := chain, chain.Version()
			chain = original.Clone()
			if err := chain.Extend(candidate); (err == nil) != sound {
				rt.Fatalf("sound %v, chain says %v", sound, err)
			}
			if original.Version() != version || !original.Is(chain.Statements()[:version]) {
				rt.Fatal("what was done to the clone was done to the original")
			}
			if sound {
				checkStandings(rt, alice, original, names, accepts, removed)
			}
			if !sound {
				continue
			}
			for name, before := range accepts {
				if now, listed := next[name]; listed {
					dropped[name] |= before &^ now
				} else {
					removed[name] = true
				}
			}
			accepts, statement = next, candidate
			checkStandings(rt, alice, chain, names, accepts, removed)
		}
	})
}

func checkStandings(rt *rapid.T, alice *person, chain *identity.Chain, names []string,
	accepts map[string]identity.Protocols, removed map[string]bool) {
	for _, name := range names {
		want := identity.Unknown
		if _, listed := accepts[name]; listed {
			want = identity.Listed
		} else if removed[name] {
			want = identity.Removed
		}
		entry, standing := chain.Device(alice.deviceID(name))
		if standing != want || want == identity.Listed && entry.Protocols != accepts[name] {
			rt.Fatalf("%s: standing %v, want %v", name, standing, want)
		}
	}
}

func TestS6_TokenWithAnyCharacterChangedIsRefused(t *testing.T) {
	alice := newPerson(t, "alice")
	phone := alice.device("phone")
	const origin = "https://chat.example.org"
	raw, err := identity.NewToken(phone, alice.id(), origin, createdAt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := identity.VerifyToken(raw, phone.PublicKey(), []string{origin}, createdAt); err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for _, c := range []byte("A_.=\n") {
			if raw[i] == c {
				continue
			}
			bad := raw[:i] + string(c) + raw[i+1:]
			if _, err := identity.VerifyToken(bad, phone.PublicKey(), []string{origin}, createdAt); !errors.Is(err, identity.ErrToken) {
				t.Fatalf("%q at %d: %v", c, i, err)
			}
		}
	}
}

func TestIDsAreReadAndWrittenAsJSONText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		user := identity.UserID(drawSeed(rt, "user")[:20])
		device := identity.DeviceID(drawSeed(rt, "device")[:20])
		userText, _ := user.MarshalText()
		deviceText, _ := device.MarshalText()
		var readUser identity.UserID
		var readDevice identity.DeviceID
		if err := readUser.UnmarshalText(userText); err != nil || readUser != user {
			rt.Fatalf("%s: %v", userText, err)
		}
		if err := readDevice.UnmarshalText(deviceText); err != nil || readDevice != device {
			rt.Fatalf("%s: %v", deviceText, err)
		}
		if readUser.UnmarshalText(deviceText) == nil || readDevice.UnmarshalText(userText) == nil {
			rt.Fatal("one kind of id was read as the other")
		}
	})
}

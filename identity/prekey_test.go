package identity_test

import (
	"bytes"
	"crypto/mlkem"
	"errors"
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// prekeys gives one prekey of each kind, signed by a device.
func prekeys(t testing.TB, user identity.UserID, device identity.Signer) []identity.Prekey {
	t.Helper()
	curve := bytes.Repeat([]byte{9}, 32)
	kem, err := mlkem.NewDecapsulationKey768(bytes.Repeat([]byte{7}, mlkem.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	var all []identity.Prekey
	for kind, key := range map[identity.PrekeyKind][]byte{
		identity.PrekeySigned: curve, identity.PrekeyOneTime: curve,
		identity.PrekeyKEMOneTime: kem.EncapsulationKey().Bytes(), identity.PrekeyKEMLastResort: kem.EncapsulationKey().Bytes(),
	} {
		prekey, err := identity.SignPrekey(identity.PrekeyFields{
			Kind: kind, User: user, Number: 5, CreatedAt: time.Unix(1_700_000_000, 0), Key: key,
		}, device)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, prekey)
	}
	return all
}

func TestPrekeyIsReadAsItWasSigned_R2(t *testing.T) {
	p := newPerson(t, "alice")
	for _, prekey := range prekeys(t, p.id(), p.device("phone")) {
		read, err := identity.ParsePrekey(prekey.Statement(), p.id(), p.device("phone").PublicKey())
		if err != nil || read.Kind != prekey.Kind || read.Number != 5 || !bytes.Equal(read.Key, prekey.Key) ||
			read.Device != identity.NewDeviceID(p.device("phone").PublicKey()) || !read.CreatedAt.Equal(time.Unix(1_700_000_000, 0)) {
			t.Fatalf("read %+v, %v", read, err)
		}
	}
}

// A prekey of which any byte was changed, or any byte is missing or too many, is refused.
func TestAttackChangesPrekey_R2(t *testing.T) {
	p := newPerson(t, "alice")
	for _, prekey := range prekeys(t, p.id(), p.device("phone")) {
		statement := prekey.Statement()
		for i := range statement {
			changed := bytes.Clone(statement)
			changed[i] ^= 1
			if _, err := identity.ParsePrekey(changed, p.id(), p.device("phone").PublicKey()); !errors.Is(err, identity.ErrStatement) {
				t.Fatalf("kind %d, byte %d changed: error %v", prekey.Kind, i, err)
			}
		}
		for _, other := range [][]byte{nil, statement[:len(statement)-1], append(bytes.Clone(statement), 0), statement[:20]} {
			if _, err := identity.ParsePrekey(other, p.id(), p.device("phone").PublicKey()); !errors.Is(err, identity.ErrStatement) {
				t.Fatalf("%d of %d bytes: error %v", len(other), len(statement), err)
			}
		}
	}
}

func TestAttackShowsPrekeyOfAnother_R2(t *testing.T) {
	alice, mallory := newPerson(t, "alice"), newPerson(t, "mallory")
	prekey := prekeys(t, mallory.id(), mallory.device("phone"))[0]
	for name, as := range map[string]struct {
		user   identity.UserID
		device identity.SigningPublicKey
	}{
		"another device": {mallory.id(), alice.device("phone").PublicKey()},
		"another user":   {alice.id(), mallory.device("phone").PublicKey()},
	} {
		if _, err := identity.ParsePrekey(prekey.Statement(), as.user, as.device); !errors.Is(err, identity.ErrPrekeyOwner) {
			t.Errorf("%s: error %v, want ErrPrekeyOwner", name, err)
		}
	}
}

func TestPrekeysThatCannotBeSigned_R2(t *testing.T) {
	p := newPerson(t, "alice")
	good := identity.PrekeyFields{Kind: identity.PrekeySigned, User: p.id(), Number: 1, CreatedAt: time.Unix(1, 0), Key: bytes.Repeat([]byte{9}, 32)}
	for name, bad := range map[string]struct {
		change func(*identity.PrekeyFields)
		want   error
	}{
		"no number":     {func(f *identity.PrekeyFields) { f.Number = 0 }, identity.ErrPrekeyNumber},
		"kind 0":        {func(f *identity.PrekeyFields) { f.Kind = 0 }, identity.ErrPrekeyKind},
		"kind 5":        {func(f *identity.PrekeyFields) { f.Kind = 5 }, identity.ErrPrekeyKind},
		"low order":     {func(f *identity.PrekeyFields) { f.Key = make([]byte, 32) }, identity.ErrKeyLowOrder},
		"not canonical": {func(f *identity.PrekeyFields) { f.Key = bytes.Repeat([]byte{0xff}, 32) }, identity.ErrKeyNotCanonical},
		"no KEM key":    {func(f *identity.PrekeyFields) { f.Kind = identity.PrekeyKEMOneTime }, identity.ErrPrekeyForm},
		"KEM out of range": {func(f *identity.PrekeyFields) {
			f.Kind, f.Key = identity.PrekeyKEMOneTime, bytes.Repeat([]byte{0xff}, 1184)
		}, identity.ErrPrekeyKEM},
		"curve key too long": {func(f *identity.PrekeyFields) { f.Key = append(f.Key, 1) }, identity.ErrPrekeyForm},
	} {
		fields := good
		fields.Key = bytes.Clone(good.Key)
		bad.change(&fields)
		if _, err := identity.SignPrekey(fields, p.device("phone")); !errors.Is(err, bad.want) {
			t.Errorf("%s: error %v, want %v", name, err, bad.want)
		}
	}
}

// S1.2: what is signed for one purpose is refused for every other.
func TestStatementsAreNotTakenForEachOther_S1_2(t *testing.T) {
	p := newPerson(t, "alice")
	token, err := identity.NewToken(p.device("phone"), p.id(), "https://chat.example", time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	prekey := prekeys(t, p.id(), p.device("phone"))[0]
	for _, statement := range [][]byte{[]byte(token), p.entry("phone").Statement()} {
		if _, err := identity.ParsePrekey(statement, p.id(), p.device("phone").PublicKey()); !errors.Is(err, identity.ErrStatement) {
			t.Errorf("taken for a prekey: %v", err)
		}
	}
	if _, err := identity.ParseEntry(prekey.Statement()); !errors.Is(err, identity.ErrStatement) {
		t.Errorf("a prekey is taken for an entry: %v", err)
	}
	if _, _, err := identity.ParseTokenDevice(string(prekey.Statement())); !errors.Is(err, identity.ErrToken) {
		t.Errorf("a prekey is taken for a token: %v", err)
	}
}

func TestPrekeyVectors(t *testing.T) {
	type prekeyVector struct {
		vector
		Statement, User, Signing hexBytes
		Inputs                   struct {
			SigningSeed, Key hexBytes
			Kind             identity.PrekeyKind
			Number           uint32
			CreatedAt        int64 `json:",string"`
		}
	}
	eachVector(t, "prekeys.json", func(t *testing.T, v prekeyVector) {
		user := identity.UserID(v.User)
		prekey, err := identity.ParsePrekey(v.Statement, user, identity.SigningPublicKey(v.Signing))
		v.wantClass(t, err)
		if err != nil {
			return
		}
		made, err := identity.SignPrekey(identity.PrekeyFields{
			Kind: v.Inputs.Kind, User: user, Number: v.Inputs.Number, CreatedAt: time.UnixMicro(v.Inputs.CreatedAt), Key: v.Inputs.Key,
		}, signingKey(t, v.Inputs.SigningSeed))
		if err != nil || !bytes.Equal(made.Statement(), v.Statement) || !bytes.Equal(prekey.Statement(), v.Statement) {
			t.Errorf("made of the same inputs: other bytes, %v", err)
		}
		if prekey.Kind != v.Inputs.Kind || prekey.Number != v.Inputs.Number || !bytes.Equal(prekey.Key, v.Inputs.Key) {
			t.Errorf("parsed %+v", prekey)
		}
	})
}

func FuzzParsePrekey(f *testing.F) {
	p := newPerson(f, "alice")
	user, device := p.id(), p.device("phone")
	for _, prekey := range prekeys(f, user, device) {
		f.Add(prekey.Statement())
	}
	f.Fuzz(func(t *testing.T, statement []byte) {
		prekey, err := identity.ParsePrekey(statement, user, device.PublicKey())
		if err != nil {
			if !errors.Is(err, identity.ErrStatement) {
				t.Fatalf("an error of no class: %v", err)
			}
			return
		}
		if !bytes.Equal(prekey.Statement(), statement) || prekey.Number == 0 || prekey.User != user {
			t.Fatalf("accepted %x", statement)
		}
	})
}

package identity_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// The adversary of these tests is the server, or whoever holds one of the keys. Each statement is as genuine as they can
// make it.

func TestS3_5_ReplayOfAnOlderListIsRefused(t *testing.T) {
	alice := newPerson(t, "alice")
	v1 := alice.list(nil, "phone", alice.entry("phone"))
	v2 := alice.list(v1, "phone", alice.entry("phone"), alice.entry("laptop"))
	chain := alice.chain(v1, v2)
	if err := chain.Extend(v1); !errors.Is(err, identity.ErrListOlder) || !errors.Is(err, identity.ErrConflict) {
		t.Fatalf("version 1 after version 2: %v", err)
	}
	if _, standing := chain.Device(alice.deviceID("laptop")); standing != identity.Listed {
		t.Fatal("the replay took the laptop off")
	}
}

func TestS3_4_EquivocationIsAnAlarmAndChangesNothing(t *testing.T) {
	alice := newPerson(t, "alice")
	v1 := alice.list(nil, "phone", alice.entry("phone"))
	forOne := alice.list(v1, "phone", alice.entry("phone"), alice.entry("laptop"))
	forOther := alice.list(v1, "phone", alice.entry("phone"), alice.entry("spy"))
	chain := alice.chain(v1, forOne)
	if err := chain.Extend(forOther); !errors.Is(err, identity.ErrEquivocation) {
		t.Fatalf("another version 2: %v", err)
	}
	// The other branch goes on: a client that never saw its version 2 still hears the alarm.
	later := alice.list(forOther, "phone", alice.entry("phone"))
	if err := chain.Extend(later); !errors.Is(err, identity.ErrEquivocation) || !errors.Is(err, identity.ErrListPrevious) {
		t.Fatalf("version 3 of the other branch: %v", err)
	}
	if !bytes.Equal(chain.Head().Statement(), forOne) {
		t.Fatal("the chain changed")
	}
	if first, held := chain.At(1); !held || !bytes.Equal(first.Statement(), v1) {
		t.Fatal("version 1 is lost")
	}
	for _, version := range []uint32{0, 3, 1<<32 - 1} {
		if _, held := chain.At(version); held {
			t.Fatalf("version %d is there", version)
		}
	}
}

func TestS3_1_DeviceThatTheServerAddsIsRefused(t *testing.T) {
	alice, server := newPerson(t, "alice"), newPerson(t, "server")
	v1 := alice.list(nil, "phone", alice.entry("phone"))
	head, err := identity.ParseDeviceList(v1)
	if err != nil {
		t.Fatal(err)
	}
	spy, err := identity.SignEntry(func() identity.EntryFields {
		fields := server.fields("spy")
		fields.UserID = alice.id()
		return fields
	}(), server.device("spy"))
	if err != nil {
		t.Fatal(err)
	}
	// With a user key of its own, the server's list is another user's.
	if _, err := identity.SignDeviceList(head, server.key, server.device("spy"), []identity.Entry{spy}); err == nil {
		t.Fatal("a list of alice's devices was signed with another user key")
	}
	own := server.list(nil, "spy", server.entry("spy"))
	if err := identity.NewChain(alice.id()).Extend(own); !errors.Is(err, identity.ErrListUser) {
		t.Fatalf("the server's list as alice's: %v", err)
	}
	// With alice's user key in it, the signature is missing.
	forged := server.resign(v1, "spy", func(signed []byte) []byte { return signed })
	if err := identity.NewChain(alice.id()).Extend(forged); !errors.Is(err, identity.ErrSignature) {
		t.Fatalf("alice's list signed by the server: %v", err)
	}
	// With another entry between alice's signatures, they no longer fit.
	spliced := append(append([]byte(nil), v1[:114]...), append(spy.Statement(), v1[len(v1)-128:]...)...)
	if err := identity.NewChain(alice.id()).Extend(spliced); !errors.Is(err, identity.ErrSignature) {
		t.Fatalf("alice's signatures around another entry: %v", err)
	}
}

func TestS3_2_ThiefOfTheUserKeyAloneCannotAddADevice(t *testing.T) {
	alice := newPerson(t, "alice")
	v1 := alice.list(nil, "phone", alice.entry("phone"))
	v2 := alice.list(v1, "phone", alice.entry("phone"), alice.entry("laptop"))
	// The thief signs with the user key and a device of its own, which it names as the author …
	selfMade := alice.resign(v2, "laptop", func(signed []byte) []byte {
		id := alice.deviceID("laptop")
		copy(signed[93:113], id[:])
		return signed
	})
	if err := alice.chain(v1).Extend(selfMade); !errors.Is(err, identity.ErrListAuthor) {
		t.Fatalf("author is only on the new version: %v", err)
	}
	// … or names the phone, whose key it has not.
	unsigned := alice.resign(v2, "laptop", func(signed []byte) []byte { return signed })
	if err := alice.chain(v1).Extend(unsigned); !errors.Is(err, identity.ErrSignature) {
		t.Fatalf("the author did not sign: %v", err)
	}
}

func TestS4_2_EntryOfAnotherUserIsRefused(t *testing.T) {
	alice, mallory := newPerson(t, "alice"), newPerson(t, "mallory")
	v1 := mallory.list(nil, "phone", mallory.entry("phone"))
	head, err := identity.ParseDeviceList(v1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = identity.SignDeviceList(head, mallory.key, mallory.device("phone"),
		[]identity.Entry{mallory.entry("phone"), alice.entry("phone")})
	if !errors.Is(err, identity.ErrEntryUser) {
		t.Fatalf("alice's phone on mallory's list: %v", err)
	}
}

// TestS4_1_ForgedEntryOfAKnownDeviceIsRefused: the chain spares itself entries that it knows, but only byte for byte.
func TestS4_1_ForgedEntryOfAKnownDeviceIsRefused(t *testing.T) {
	alice := newPerson(t, "alice")
	v1 := alice.list(nil, "phone", alice.entry("phone"))
	v2 := alice.list(v1, "phone", alice.entry("phone"))
	entry := len(alice.entry("phone").Statement())
	for offset := 114 + 71; offset < 114+entry; offset++ { // from the agreement key on; before it, it is another device or user
		forged := alice.resign(v2, "phone", func(signed []byte) []byte {
			signed[offset] ^= 4
			return signed
		})
		if err := alice.chain(v1).Extend(forged); !errors.Is(err, identity.ErrStatement) {
			t.Fatalf("byte %d changed: %v", offset-114, err)
		}
	}
}

func TestS4_4_RemovedDeviceComingBackIsRefused(t *testing.T) {
	alice := newPerson(t, "alice")
	v1 := alice.list(nil, "phone", alice.entry("phone"))
	v2 := alice.list(v1, "phone", alice.entry("phone"), alice.entry("laptop"))
	v3 := alice.list(v2, "phone", alice.entry("phone"))
	chain := alice.chain(v1, v2, v3)
	entry, standing := chain.Device(alice.deviceID("laptop"))
	if standing != identity.Removed || entry.DeviceID() != alice.deviceID("laptop") {
		t.Fatalf("standing %v of %v", standing, entry.DeviceID())
	}
	v4 := alice.list(v3, "phone", alice.entry("phone"), alice.entry("laptop"))
	if err := chain.Extend(v4); !errors.Is(err, identity.ErrDeviceRemoved) {
		t.Fatalf("the laptop is back: %v", err)
	}
	// Neither with a version in between, in which it does not stand.
	v4 = alice.list(v3, "phone", alice.entry("phone"), alice.entry("tablet"))
	v5 := alice.list(v4, "phone", alice.entry("phone"), alice.entry("laptop"))
	if err := alice.chain(v1, v2, v3, v4).Extend(v5); !errors.Is(err, identity.ErrDeviceRemoved) {
		t.Fatalf("the laptop is back later: %v", err)
	}
}

func TestS4_4_ChangedAgreementKeyIsRefused(t *testing.T) {
	alice := newPerson(t, "alice")
	v1 := alice.list(nil, "phone", alice.entry("phone"))
	v2 := alice.list(v1, "phone", alice.entry("phone", func(f *identity.EntryFields) {
		f.AgreementKey = alice.fields("spy").AgreementKey
	}))
	if err := alice.chain(v1).Extend(v2); !errors.Is(err, identity.ErrAgreementKey) {
		t.Fatalf("another agreement key: %v", err)
	}
}

func TestS4_4_DroppedProtocolComingBackIsRefused(t *testing.T) {
	alice := newPerson(t, "alice")
	accepts := func(protocols identity.Protocols) identity.Entry {
		return alice.entry("phone", func(f *identity.EntryFields) { f.Protocols = protocols })
	}
	// From boxes to sessions there is no way back.
	v1 := alice.list(nil, "phone", accepts(identity.ProtocolBox))
	v2 := alice.list(v1, "phone", accepts(identity.ProtocolBox|identity.ProtocolSession))
	v3 := alice.list(v2, "phone", accepts(identity.ProtocolSession))
	v4 := alice.list(v3, "phone", accepts(identity.ProtocolSession|1<<9))
	chain := alice.chain(v1, v2, v3, v4)
	for _, protocols := range []identity.Protocols{identity.ProtocolBox, identity.ProtocolBox | identity.ProtocolSession | 1<<9} {
		if err := chain.Extend(alice.list(v4, "phone", accepts(protocols))); !errors.Is(err, identity.ErrProtocolDropped) {
			t.Fatalf("protocols %b: %v", protocols, err)
		}
	}
}

func TestS1_2_TokenIsNoStatementAndStatementIsNoToken(t *testing.T) {
	alice := newPerson(t, "alice")
	phone := alice.device("phone")
	entry := alice.entry("phone").Statement()
	token, err := identity.NewToken(phone, alice.id(), "https://chat.example.org", createdAt)
	if err != nil {
		t.Fatal(err)
	}
	text, signature := token[:strings.LastIndex(token, ".")], token[strings.LastIndex(token, ".")+1:]
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !phone.PublicKey().Verify([]byte(text), raw) {
		t.Fatalf("the token's signature is not what this test thinks: %v", err)
	}
	for name, statement := range map[string][]byte{
		"the token": []byte(token), "what it signs, signed": append([]byte(text), raw...),
	} {
		if _, err := identity.ParseEntry(statement); !errors.Is(err, identity.ErrEntryForm) {
			t.Errorf("%s as an entry: %v", name, err)
		}
		if _, err := identity.ParseDeviceList(statement); !errors.Is(err, identity.ErrListForm) {
			t.Errorf("%s as a list: %v", name, err)
		}
	}
	for name, raw := range map[string]string{
		"the entry":         string(entry),
		"the entry as text": base64.RawURLEncoding.EncodeToString(entry),
		"the entry, signed": string(entry[:len(entry)-64]) + "." + base64.RawURLEncoding.EncodeToString(entry[len(entry)-64:]),
	} {
		if _, _, err := identity.ParseTokenDevice(raw); !errors.Is(err, identity.ErrTokenForm) {
			t.Errorf("%s as a token: %v", name, err)
		}
	}
}

func TestChainIsNotChangedThroughWhatItHandsOut(t *testing.T) {
	alice := newPerson(t, "alice")
	v1 := alice.list(nil, "phone", alice.entry("phone"))
	chain := alice.chain(v1)
	head := chain.Head()
	head.Version, head.Author = 9, identity.DeviceID{}
	head.Entries[0].BoxKey = identity.BoxPublicKey{}
	clear(head.Statement())
	clear(chain.Statements()[0])
	entry, _ := chain.Device(alice.deviceID("phone"))
	clear(entry.Statement())
	if again := chain.Head(); again.Version != 1 || again.Entries[0].BoxKey == (identity.BoxPublicKey{}) ||
		!bytes.Equal(again.Statement(), v1) || !bytes.Equal(chain.Statements()[0], v1) {
		t.Fatal("a copy's change reached the chain")
	}
	statement := append([]byte(nil), v1...)
	chain = alice.chain(statement)
	clear(statement)
	if !bytes.Equal(chain.Head().Statement(), v1) {
		t.Fatal("the chain keeps its caller's bytes")
	}
}

func TestS3_7_ChainIsBounded(t *testing.T) {
	alice := newPerson(t, "alice")
	entries := make([]identity.Entry, identity.MaxDevices)
	for i := range entries {
		entries[i] = alice.entry(string(rune('A' + i)))
	}
	v1 := alice.list(nil, "A", entries[0])
	chain := alice.chain(v1)
	next := alice.list(v1, "A", entries...)
	for size := len(v1) + len(next); size <= identity.MaxChainSize; size += len(next) {
		if err := chain.Extend(next); err != nil {
			t.Fatalf("refused at %d bytes: %v", size, err)
		}
		previous := sha256.Sum256(next)
		next = alice.resign(next, "A", func(signed []byte) []byte {
			binary.BigEndian.PutUint32(signed[57:], chain.Version()+1)
			copy(signed[61:], previous[:])
			return signed
		})
	}
	if err := chain.Extend(next); !errors.Is(err, identity.ErrChainTooLong) {
		t.Fatalf("beyond the bound: %v", err)
	}
}

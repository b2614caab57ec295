package cryptobox_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/nacl/box"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

var sentAt = time.Date(2026, 1, 2, 3, 4, 6, 7000, time.UTC)

// party is one user with one device.
type party struct {
	user      identity.UserID
	device    identity.DeviceID
	box       *cryptobox.BoxKey
	chain     *identity.Chain
	agreement identity.AgreementPublicKey
}

func newParty(t testing.TB, name string) party {
	t.Helper()
	seed := func(purpose string) []byte {
		s := sha256.Sum256([]byte("cryptobox test: " + name + purpose))
		return s[:]
	}
	user, signing := signingKey(t, seed("user")), signingKey(t, seed("signing"))
	agreement, err := cryptobox.AgreementKeyFromSeed(seed("agreement"))
	if err != nil {
		t.Fatal(err)
	}
	p := party{
		user: identity.NewUserID(user.PublicKey()), device: identity.NewDeviceID(signing.PublicKey()),
		box: boxKey(t, seed("box")), agreement: agreement.PublicKey(),
	}
	entry, err := identity.SignEntry(identity.EntryFields{
		UserID: p.user, AgreementKey: p.agreement, Protocols: identity.ProtocolBox, CreatedAt: sentAt, BoxKey: p.box.PublicKey(),
	}, signing)
	if err != nil {
		t.Fatal(err)
	}
	list, err := identity.SignDeviceList(nil, user, signing, []identity.Entry{entry})
	if err != nil {
		t.Fatal(err)
	}
	if p.chain, err = identity.ParseChain(p.user, [][]byte{list}); err != nil {
		t.Fatal(err)
	}
	return p
}

func textFrom(from, to party, text string) *cryptobox.Content {
	fromHash, _ := from.chain.Hash(1)
	toHash, _ := to.chain.Hash(1)
	return &cryptobox.Content{
		MessageID:  [16]byte{6: 0x70, 8: 0x80, 15: 1},
		SenderUser: from.user, SenderDevice: from.device, RecipientUser: to.user, RecipientDevice: to.device,
		Conversation: cryptobox.ConversationID(from.user, to.user), Counter: 1,
		SenderListVersion: 1, SenderListHash: fromHash, RecipientListVersion: 1, RecipientListHash: toHash,
		SentAt: sentAt, Body: cryptobox.Text{Text: text},
	}
}

func deliveredTo(to, from party, id [16]byte) cryptobox.Delivered {
	return cryptobox.Delivered{
		MessageID: id, SenderUser: from.user, SenderDevice: from.device, RecipientUser: to.user, RecipientDevice: to.device,
	}
}

func sealContent(t testing.TB, content *cryptobox.Content, from, to party) cryptobox.Box {
	t.Helper()
	plaintext, err := content.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := cryptobox.Seal(nil, plaintext, to.box.PublicKey(), from.box)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func openContent(t testing.TB, sealed cryptobox.Box, from, to party) *cryptobox.Content {
	t.Helper()
	plaintext, err := cryptobox.Open(sealed, from.box.PublicKey(), to.box)
	if err != nil {
		t.Fatal(err)
	}
	content, err := cryptobox.ParseContent(plaintext)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestB2_1_ReflectionOfAnOwnBoxIsRefused: the server gives alice's box back to her, as if bob had sent it. crypto_box is
// symmetric, so it opens; what is inside says that it was hers.
func TestB2_1_ReflectionOfAnOwnBoxIsRefused(t *testing.T) {
	alice, bob := newParty(t, "alice"), newParty(t, "bob")
	content := textFrom(alice, bob, "I owe you 100")
	sealed := sealContent(t, content, alice, bob)
	reflected := openContent(t, sealed, bob, alice) // opens
	if err := reflected.Check(deliveredTo(alice, bob, content.MessageID)); !errors.Is(err, cryptobox.ErrMismatch) {
		t.Fatalf("the reflected box passes: %v", err)
	}
	honest := openContent(t, sealed, alice, bob)
	if err := honest.Check(deliveredTo(bob, alice, content.MessageID)); err != nil {
		t.Fatalf("the honest one does not: %v", err)
	}
	if err := honest.CheckLists(alice.chain, bob.chain); err != nil {
		t.Fatalf("its lists do not: %v", err)
	}
}

// TestC1_1_BoxUnderAnotherMessageIDIsRefused: a replay under a new name passes every record of accepted names.
func TestC1_1_BoxUnderAnotherMessageIDIsRefused(t *testing.T) {
	alice, bob := newParty(t, "alice"), newParty(t, "bob")
	content := textFrom(alice, bob, "again")
	opened := openContent(t, sealContent(t, content, alice, bob), alice, bob)
	renamed := content.MessageID
	renamed[15]++
	if err := opened.Check(deliveredTo(bob, alice, renamed)); !errors.Is(err, cryptobox.ErrMismatch) {
		t.Fatalf("the replay passes: %v", err)
	}
}

// TestS4_3_ClaimedBoxKeyIsRefused: mallory publishes alice's box key as her own, which no signature forbids. What alice seals
// for bob then also opens as mallory's.
func TestS4_3_ClaimedBoxKeyIsRefused(t *testing.T) {
	alice, bob, mallory := newParty(t, "alice"), newParty(t, "bob"), newParty(t, "mallory")
	content := textFrom(alice, bob, "marry me")
	sealed := sealContent(t, content, alice, bob)
	mallory.box = alice.box // only the public half is needed to claim it
	opened := openContent(t, sealed, mallory, bob)
	if err := opened.Check(deliveredTo(bob, mallory, content.MessageID)); !errors.Is(err, cryptobox.ErrMismatch) {
		t.Fatalf("alice's words pass as mallory's: %v", err)
	}
}

// TestC1_1_ContentForAnotherListIsRefused: the server showed alice another list of bob than bob has.
func TestC1_1_ContentForAnotherListIsRefused(t *testing.T) {
	alice, bob := newParty(t, "alice"), newParty(t, "bob")
	content := textFrom(alice, bob, "hi")
	content.RecipientListHash[0] ^= 1
	opened := openContent(t, sealContent(t, content, alice, bob), alice, bob)
	if err := opened.CheckLists(alice.chain, bob.chain); !errors.Is(err, cryptobox.ErrListHash) {
		t.Fatalf("accepted: %v", err)
	}
	if err := opened.CheckLists(bob.chain, alice.chain); !errors.Is(err, cryptobox.ErrListHash) {
		t.Fatalf("chains of the wrong users: %v", err)
	}
}

// TestS2_4_LowOrderBoxKeyIsRefused: x/crypto takes such keys and makes boxes that anyone opens.
func TestS2_4_LowOrderBoxKeyIsRefused(t *testing.T) {
	var public, alicesPrivate, anyonesPrivate [32]byte
	public[0] = 1 // a point of order 4
	alice := newParty(t, "alice")
	copy(alicesPrivate[:], alice.box.Seed())
	nonce := new([24]byte)
	leaked := box.Seal(nil, []byte("secret"), nonce, &public, &alicesPrivate)
	if opened, ok := box.Open(nil, leaked, nonce, &public, &anyonesPrivate); !ok || string(opened) != "secret" {
		t.Fatal("x/crypto refuses low order by itself now: tell the comments")
	}
	if _, err := cryptobox.Seal(nil, []byte("secret"), identity.BoxPublicKey(public), alice.box); !errors.Is(err, identity.ErrKeyLowOrder) {
		t.Errorf("sealed: %v", err)
	}
	forged := cryptobox.Box{Nonce: *nonce, Ciphertext: leaked}
	if _, err := cryptobox.Open(forged, identity.BoxPublicKey(public), alice.box); !errors.Is(err, identity.ErrKeyLowOrder) {
		t.Errorf("opened: %v", err)
	}
	if _, err := cryptobox.Seal(nil, []byte("secret"), identity.BoxPublicKey{}, alice.box); !errors.Is(err, identity.ErrKeyLowOrder) {
		t.Errorf("sealed for the zero value: %v", err)
	}
}

func TestB_BoxWithAnyBitFlippedIsForged(t *testing.T) {
	alice, bob := newParty(t, "alice"), newParty(t, "bob")
	sealed := sealContent(t, textFrom(alice, bob, "hi"), alice, bob)
	open := func(b cryptobox.Box) error {
		plaintext, err := cryptobox.Open(b, alice.box.PublicKey(), bob.box)
		if plaintext != nil {
			t.Error("a refused box gave a plaintext")
		}
		return err
	}
	for bit := range len(sealed.Ciphertext) * 8 {
		bad := cryptobox.Box{Nonce: sealed.Nonce, Ciphertext: slices.Clone(sealed.Ciphertext)}
		bad.Ciphertext[bit/8] ^= 1 << (bit % 8)
		if err := open(bad); !errors.Is(err, cryptobox.ErrForged) {
			t.Fatalf("bit %d of byte %d: %v", bit%8, bit/8, err)
		}
	}
	for bit := range len(sealed.Nonce) * 8 {
		bad := sealed
		bad.Nonce[bit/8] ^= 1 << (bit % 8)
		if err := open(bad); !errors.Is(err, cryptobox.ErrForged) {
			t.Fatalf("bit %d of byte %d of the nonce: %v", bit%8, bit/8, err)
		}
	}
}

func TestB_BoundsOfBoxes(t *testing.T) {
	alice, bob := newParty(t, "alice"), newParty(t, "bob")
	long := make([]byte, cryptobox.MaxContentSize+1)
	if _, err := cryptobox.Seal(nil, long, bob.box.PublicKey(), alice.box); !errors.Is(err, cryptobox.ErrTooLong) {
		t.Errorf("sealed: %v", err)
	}
	tooLong := cryptobox.Box{Ciphertext: make([]byte, len(long)+cryptobox.BoxOverhead)}
	if _, err := cryptobox.Open(tooLong, alice.box.PublicKey(), bob.box); !errors.Is(err, cryptobox.ErrForged) {
		t.Errorf("opened: %v", err)
	}
	if _, err := cryptobox.Seal(bytes.NewReader(make([]byte, 23)), nil, bob.box.PublicKey(), alice.box); err == nil {
		t.Error("sealed with a short nonce")
	}
	one, err := cryptobox.Seal(nil, nil, bob.box.PublicKey(), alice.box)
	if err != nil {
		t.Fatal(err)
	}
	two, err := cryptobox.Seal(nil, nil, bob.box.PublicKey(), alice.box)
	if err != nil || one.Nonce == two.Nonce || one.Nonce == ([24]byte{}) {
		t.Errorf("nonces %x and %x, %v", one.Nonce, two.Nonce, err)
	}
}

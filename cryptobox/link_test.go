package cryptobox_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// link is both ends of a link in a test, made from seeds.
type link struct {
	t           testing.TB
	keys        cryptobox.LinkKeys
	code        cryptobox.LinkCode
	transfer    *cryptobox.TransferKey // of the new device
	ephemeral   *cryptobox.TransferKey // of the existing one
	old, joined *cryptobox.LinkChannel
	offer       cryptobox.LinkOffer
	step1       []byte
}

func linkSeed(name string) []byte {
	seed := sha256.Sum256([]byte("link test: " + name))
	return seed[:]
}

func transferKey(t testing.TB, name string) *cryptobox.TransferKey {
	t.Helper()
	key, err := cryptobox.TransferKeyFromSeed(linkSeed(name))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newLink(t testing.TB, name string, protocols identity.Protocols) *link {
	t.Helper()
	l := &link{t: t, transfer: transferKey(t, name+" transfer"), ephemeral: transferKey(t, name+" ephemeral")}
	agreement, err := cryptobox.AgreementKeyFromSeed(linkSeed(name + " agreement"))
	if err != nil {
		t.Fatal(err)
	}
	l.keys = cryptobox.LinkKeys{
		Signing: linkSigningKey(t, name).PublicKey(), Agreement: agreement.PublicKey(), Protocols: protocols,
		Transfer: l.transfer.PublicKey(),
	}
	if protocols.Has(identity.ProtocolBox) {
		box, err := cryptobox.BoxKeyFromSeed(linkSeed(name + " box"))
		if err != nil {
			t.Fatal(err)
		}
		l.keys.Box = box.PublicKey()
	}
	if l.code, err = cryptobox.LinkCodeFromSeed(linkSeed(name + " secret")[:16], &l.keys); err != nil {
		t.Fatal(err)
	}
	if l.old, err = cryptobox.NewLinkChannel(l.code, l.ephemeral, l.keys.Transfer); err != nil {
		t.Fatal(err)
	}
	offer := cryptobox.LinkOffer{UserKey: linkSigningKey(t, "user").PublicKey(), Version: 7, ListHash: sha256.Sum256(nil)}
	if l.step1, err = l.old.SealOffer(bytes.NewReader(linkSeed(name+" nonce")), &offer); err != nil {
		t.Fatal(err)
	}
	if l.joined, l.offer, err = cryptobox.OpenLinkOffer(l.code, l.transfer, l.step1); err != nil || l.offer != offer {
		t.Fatalf("offer %+v: %v", l.offer, err)
	}
	return l
}

func linkSigningKey(t testing.TB, name string) *cryptobox.SigningKey {
	t.Helper()
	key, err := cryptobox.SigningKeyFromSeed(linkSeed(name + " signing"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (l *link) seal(from *cryptobox.LinkChannel, step cryptobox.LinkStep, plaintext []byte) []byte {
	l.t.Helper()
	sealed, err := from.Seal(nil, step, plaintext)
	if err != nil {
		l.t.Fatal(err)
	}
	return sealed
}

func TestLinkChannelsOpenEachOthersMessages(t *testing.T) {
	for _, protocols := range []identity.Protocols{identity.ProtocolSession, identity.ProtocolBox, 3} {
		l := newLink(t, "n", protocols)
		for step, ends := range map[cryptobox.LinkStep][2]*cryptobox.LinkChannel{
			cryptobox.LinkStepEntry: {l.joined, l.old}, cryptobox.LinkStepGrant: {l.old, l.joined},
		} {
			sealed := l.seal(ends[0], step, []byte("hello"))
			if opened, err := ends[1].Open(step, sealed); err != nil || string(opened) != "hello" {
				t.Errorf("step %d: %q, %v", step, opened, err)
			}
		}
	}
}

// A message opens at its own step of its own link, whole, and nowhere else.
func TestLinkMessagesAreBound(t *testing.T) {
	l, other := newLink(t, "n", identity.ProtocolSession), newLink(t, "other", identity.ProtocolSession)
	sealed := l.seal(l.old, cryptobox.LinkStepGrant, []byte("hello"))
	refuses := func(name string, channel *cryptobox.LinkChannel, step cryptobox.LinkStep, message []byte) {
		t.Helper()
		if opened, err := channel.Open(step, message); !errors.Is(err, cryptobox.ErrForged) || opened != nil {
			t.Errorf("%s: %q, %v", name, opened, err)
		}
	}
	refuses("another step", l.joined, cryptobox.LinkStepEntry, sealed)
	refuses("another link", other.joined, cryptobox.LinkStepGrant, sealed)
	for at := range sealed {
		changed := bytes.Clone(sealed)
		changed[at] ^= 1
		refuses(fmt.Sprint("byte ", at), l.joined, cryptobox.LinkStepGrant, changed)
	}
	for size := range sealed {
		refuses(fmt.Sprint("cut to ", size), l.joined, cryptobox.LinkStepGrant, sealed[:size])
	}
	refuses("too long", l.joined, cryptobox.LinkStepGrant, make([]byte, cryptobox.MaxLinkMessage+1))
	for at := range l.step1 {
		changed := bytes.Clone(l.step1)
		changed[at] ^= 1
		if _, _, err := cryptobox.OpenLinkOffer(l.code, l.transfer, changed); err == nil {
			t.Errorf("offer with byte %d changed is accepted", at)
		}
	}
}

// Who does not know the secret can make no offer, though he knows all public keys, and the hash.
func TestLinkWithAWrongSecret(t *testing.T) {
	l := newLink(t, "n", identity.ProtocolSession)
	guess, err := cryptobox.LinkCodeFromSeed(make([]byte, 16), &l.keys)
	if err != nil {
		t.Fatal(err)
	}
	channel, err := cryptobox.NewLinkChannel(guess, transferKey(t, "mallory"), l.keys.Transfer)
	if err != nil {
		t.Fatal(err)
	}
	step1, err := channel.SealOffer(nil, &l.offer)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := cryptobox.OpenLinkOffer(l.code, l.transfer, step1); !errors.Is(err, cryptobox.ErrForged) {
		t.Errorf("the offer is accepted: %v", err)
	}
}

// Who saw the code, but holds no transfer key, opens nothing.
func TestLinkWithTheCodeAlone(t *testing.T) {
	l := newLink(t, "n", identity.ProtocolSession)
	if _, _, err := cryptobox.OpenLinkOffer(l.code, transferKey(t, "eve"), l.step1); !errors.Is(err, cryptobox.ErrForged) {
		t.Errorf("the offer opens: %v", err)
	}
}

func TestLinkRefusesLowOrderTransferKeys_S24(t *testing.T) {
	l := newLink(t, "n", identity.ProtocolSession)
	for _, first := range []byte{0, 1} {
		low := cryptobox.TransferPublicKey{first}
		if _, err := cryptobox.NewLinkChannel(l.code, l.ephemeral, low); !errors.Is(err, identity.ErrKeyLowOrder) {
			t.Errorf("the existing device agrees with %x: %v", low, err)
		}
		step1 := append(bytes.Clone(low[:]), l.step1[32:]...)
		if _, _, err := cryptobox.OpenLinkOffer(l.code, l.transfer, step1); !errors.Is(err, identity.ErrKeyLowOrder) {
			t.Errorf("the new device agrees with %x: %v", low, err)
		}
		keys := l.keys.Marshal()
		copy(keys[len(keys)-32:], low[:])
		if _, err := cryptobox.ParseLinkKeys(keys); !errors.Is(err, identity.ErrKeyLowOrder) {
			t.Errorf("keys with %x are read: %v", low, err)
		}
	}
}

// The code binds each byte of the keys.
func TestLinkCodeNamesItsKeysAlone(t *testing.T) {
	for _, protocols := range []identity.Protocols{identity.ProtocolSession, identity.ProtocolBox} {
		l := newLink(t, "n", protocols)
		keys := l.keys.Marshal()
		if read, err := cryptobox.ParseLinkKeys(keys); err != nil || read != l.keys || !l.code.Names(&read) {
			t.Fatalf("own keys: %+v, %v", read, err)
		}
		for at := range keys {
			changed := bytes.Clone(keys)
			changed[at] ^= 1
			if read, err := cryptobox.ParseLinkKeys(changed); err == nil && l.code.Names(&read) {
				t.Errorf("byte %d of the keys is not bound", at)
			}
		}
	}
}

func TestLinkKeysAreNotReused_S11(t *testing.T) {
	l := newLink(t, "n", identity.ProtocolBox)
	for _, change := range []func(*cryptobox.LinkKeys){
		func(k *cryptobox.LinkKeys) { k.Transfer = cryptobox.TransferPublicKey(k.Agreement) },
		func(k *cryptobox.LinkKeys) { k.Transfer = cryptobox.TransferPublicKey(k.Box) },
		func(k *cryptobox.LinkKeys) { k.Box = identity.BoxPublicKey(k.Agreement) },
	} {
		keys := l.keys
		change(&keys)
		if _, err := cryptobox.ParseLinkKeys(keys.Marshal()); !errors.Is(err, identity.ErrKeyReused) {
			t.Errorf("%+v: %v", keys, err)
		}
	}
}

func TestLinkCodeHasOneSpelling(t *testing.T) {
	l := newLink(t, "n", identity.ProtocolSession)
	text := l.code.Text()
	read, err := cryptobox.ParseLinkCode("\n " + text + "\r\n")
	if err != nil || read.Text() != text || !read.Names(&l.keys) {
		t.Fatalf("%q is read as %q: %v", text, read.Text(), err)
	}
	last := text[len(text)-1:]
	for name, bad := range map[string]string{
		"empty": "", "prefix": text[:16], "no prefix": text[16:], "short": text[:len(text)-1], "long": text + "a",
		"upper case": strings.ToUpper(text), "padded": text + "======", "line break": text[:30] + "\n" + text[30:],
		"spare bits": text[:len(text)-1] + string(last[0]+1), "other code": "letterlock-safety:" + text[16:],
		"without end": strings.Repeat(" ", 300) + text,
	} {
		if _, err := cryptobox.ParseLinkCode(bad); !errors.Is(err, cryptobox.ErrLinkCode) {
			t.Errorf("%s: %q is read: %v", name, bad, err)
		}
	}
}

func TestLinkSlotIsNeitherSecretNorHash(t *testing.T) {
	l, other := newLink(t, "n", identity.ProtocolSession), newLink(t, "other", identity.ProtocolSession)
	slot, err := l.code.Slot()
	if err != nil || len(slot) != 16 {
		t.Fatalf("slot %x: %v", slot, err)
	}
	if others, err := other.code.Slot(); err != nil || bytes.Equal(slot, others) {
		t.Errorf("two links share the slot %x: %v", slot, err)
	}
	seed := l.code.Seed()
	if bytes.Contains(slot, seed[:4]) {
		t.Error("the slot shows the secret")
	}
	want := sha256.Sum256(append([]byte("letterlock/link-slot/v1"), seed...))
	if !bytes.Equal(slot, want[:16]) {
		t.Errorf("slot %x, want %x", slot, want[:16])
	}
	l.code.Erase()
	if _, err := l.code.Slot(); !errors.Is(err, cryptobox.ErrErased) || l.code.Text() != "" {
		t.Errorf("an erased code still speaks: %v", err)
	}
}

func TestLinkGrantHoldsTheUserKeyOnlyIfGiven_S5(t *testing.T) {
	user := linkSigningKey(t, "user")
	plain := cryptobox.LinkGrant{Version: 8, ListHash: sha256.Sum256([]byte("list"))}
	read, err := cryptobox.ParseLinkGrant(plain.Marshal())
	if err != nil || read != plain || read.UserKey != nil {
		t.Errorf("%+v: %v", read, err)
	}
	managing := plain
	managing.UserKey = user
	read, err = cryptobox.ParseLinkGrant(managing.Marshal())
	if err != nil || read.UserKey == nil || read.UserKey.PublicKey() != user.PublicKey() {
		t.Errorf("%+v: %v", read, err)
	}
	for _, bad := range [][]byte{
		nil, plain.Marshal()[:36], append(plain.Marshal(), 0), managing.Marshal()[:68], append(managing.Marshal(), 0),
		append(make([]byte, 36), 0), append(plain.Marshal()[:36], 1), append(append(plain.Marshal()[:36], 2), make([]byte, 32)...),
	} {
		if _, err := cryptobox.ParseLinkGrant(bad); !errors.Is(err, cryptobox.ErrLink) {
			t.Errorf("%x is read: %v", bad, err)
		}
	}
}

func TestLinkSecretsAreNotPrinted(t *testing.T) {
	keys := &cryptobox.LinkKeys{}
	code, err := cryptobox.LinkCodeFromSeed(shownSeed[:16], keys)
	if err != nil {
		t.Fatal(err)
	}
	transfer, err := cryptobox.TransferKeyFromSeed(shownSeed)
	if err != nil {
		t.Fatal(err)
	}
	channel, err := cryptobox.NewLinkChannel(code, transfer, transferKey(t, "peer").PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []any{code, &code, transfer, *transfer, channel, *channel} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			if text := fmt.Sprintf(verb, value); shows(text) {
				t.Errorf("%s of %T: %s", verb, value, text)
			}
		}
	}
}

func FuzzParseLink(f *testing.F) {
	for _, protocols := range []identity.Protocols{identity.ProtocolSession, identity.ProtocolBox, 3} {
		l := newLink(f, "n", protocols)
		grant := cryptobox.LinkGrant{Version: 8, UserKey: linkSigningKey(f, "user")}
		for _, seed := range [][]byte{l.keys.Marshal(), l.offer.Marshal(), l.step1, grant.Marshal(), []byte(l.code.Text())} {
			f.Add(seed)
		}
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if keys, err := cryptobox.ParseLinkKeys(input); err == nil && !bytes.Equal(keys.Marshal(), input) {
			t.Errorf("keys %x have two encodings", input)
		}
		if offer, err := cryptobox.ParseLinkOffer(input); err == nil && !bytes.Equal(offer.Marshal(), input) {
			t.Errorf("offer %x has two encodings", input)
		}
		if grant, err := cryptobox.ParseLinkGrant(input); err == nil && !bytes.Equal(grant.Marshal(), input) {
			t.Errorf("grant %x has two encodings", input)
		}
		if code, err := cryptobox.ParseLinkCode(string(input)); err == nil && code.Text() != strings.Trim(string(input), " \t\r\n") {
			t.Errorf("code %q has two spellings", input)
		}
	})
}

// What a stranger leaves in the slot opens nothing, and breaks nothing.
func FuzzOpenLinkOffer(f *testing.F) {
	l := newLink(f, "n", identity.ProtocolSession)
	f.Add(l.step1)
	f.Add(l.step1[:32])
	f.Fuzz(func(t *testing.T, input []byte) {
		_, _, err := cryptobox.OpenLinkOffer(l.code, l.transfer, input)
		if (err == nil) != bytes.Equal(input, l.step1) {
			t.Errorf("%x: %v", input, err)
		}
	})
}

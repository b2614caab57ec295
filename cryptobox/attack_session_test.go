package cryptobox_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// arrives gives a first message to a device as its client does: with the prekeys that it holds, for a peer as its list has it.
func arrives(envelope []byte, at *peer, from cryptobox.Member, private cryptobox.PrivatePrekeys) ([]byte, error) {
	preamble, message, err := cryptobox.ParseStart(envelope)
	if err != nil {
		return nil, err
	}
	session, err := cryptobox.AcceptSession(at.agreement, at.Member, from, preamble, private)
	if err != nil {
		return nil, err
	}
	return session.Decrypt(nil, sentAt, message)
}

// startWith makes a first message from alice for who the server says is bob.
func startWith(t testing.TB, alice *peer, bob cryptobox.Member, bundle cryptobox.PrekeyBundle) []byte {
	t.Helper()
	session := must(cryptobox.StartSession(nil, alice.agreement, alice.Member, bob, bundle))
	return must(session.Encrypt(nil, []byte("secret")))
}

func wantForged(t *testing.T, what string, plaintext []byte, err error) {
	t.Helper()
	if plaintext != nil || !errors.Is(err, cryptobox.ErrForged) {
		t.Errorf("%s: %q, %v", what, plaintext, err)
	}
}

// swapped is bob's prekey with mallory's key in it, as if no signature had been verified.
func swapped(prekey identity.Prekey, key []byte) identity.Prekey {
	prekey.Key = key
	return prekey
}

func TestR1_SwappedAgreementKey(t *testing.T) {
	alice, bob, mallory := newPeer(t), newPeer(t), newPeer(t)
	shown := bob.Member
	shown.AgreementKey = mallory.AgreementKey
	envelope := startWith(t, alice, shown, bob.bundle)
	plaintext, err := arrives(envelope, bob, alice.Member, bob.private)
	wantForged(t, "bob opens what was meant for another key", plaintext, err)

	asBob := *mallory // has the one private key, and poses as bob in all else
	asBob.Member = shown
	plaintext, err = arrives(envelope, &asBob, alice.Member, mallory.private)
	wantForged(t, "mallory has one key of four", plaintext, err)

	shown = alice.Member
	shown.AgreementKey = mallory.AgreementKey
	plaintext, err = arrives(startWith(t, alice, bob.Member, bob.bundle), bob, shown, bob.private)
	wantForged(t, "bob was shown another key for alice", plaintext, err)
}

func TestR1_SwappedSignedPrekey(t *testing.T) {
	alice, bob, mallory := newPeer(t), newPeer(t), newPeer(t)
	bundle := bob.bundle
	bundle.Signed = mallory.bundle.Signed
	if _, err := cryptobox.StartSession(nil, alice.agreement, alice.Member, bob.Member, bundle); !errors.Is(err, cryptobox.ErrBundle) {
		t.Errorf("started with a prekey of mallory's: %v", err)
	}
	statement := mallory.bundle.Signed.Statement()
	if _, err := identity.ParsePrekey(statement, identity.NewUserID(bob.UserKey), bob.signing.PublicKey()); !errors.Is(err, identity.ErrPrekeyOwner) {
		t.Errorf("mallory's prekey passes as bob's: %v", err)
	}
	bundle.Signed = swapped(bob.bundle.Signed, mallory.bundle.Signed.Key)
	envelope := startWith(t, alice, bob.Member, bundle)
	plaintext, err := arrives(envelope, bob, alice.Member, bob.private)
	wantForged(t, "bob opens what was meant for another prekey", plaintext, err)
	private := bob.private
	private.Signed = mallory.private.Signed
	plaintext, err = arrives(envelope, mallory, alice.Member, private)
	wantForged(t, "mallory opens it without bob's agreement key", plaintext, err)
}

func TestR1_SwappedOneTimePrekey(t *testing.T) {
	alice, bob, mallory := newPeer(t), newPeer(t), newPeer(t)
	bundle := bob.bundle
	oneTime := swapped(*bob.bundle.OneTime, mallory.bundle.OneTime.Key)
	bundle.OneTime = &oneTime
	plaintext, err := arrives(startWith(t, alice, bob.Member, bundle), bob, alice.Member, bob.private)
	wantForged(t, "bob opens what was meant for another prekey", plaintext, err)
	bundle.OneTime = mallory.bundle.OneTime
	if _, err := cryptobox.StartSession(nil, alice.agreement, alice.Member, bob.Member, bundle); !errors.Is(err, cryptobox.ErrBundle) {
		t.Errorf("started with a prekey of mallory's: %v", err)
	}
}

func TestR1_SwappedKEMPrekey(t *testing.T) {
	alice, bob, mallory := newPeer(t), newPeer(t), newPeer(t)
	bundle := bob.bundle
	bundle.KEM = mallory.bundle.KEM
	if _, err := cryptobox.StartSession(nil, alice.agreement, alice.Member, bob.Member, bundle); !errors.Is(err, cryptobox.ErrBundle) {
		t.Errorf("started with a prekey of mallory's: %v", err)
	}
	bundle.KEM = swapped(bob.bundle.KEM, mallory.bundle.KEM.Key)
	envelope := startWith(t, alice, bob.Member, bundle)
	plaintext, err := arrives(envelope, bob, alice.Member, bob.private)
	wantForged(t, "bob opens what was meant for another prekey", plaintext, err)
	private := bob.private
	private.KEM = mallory.private.KEM
	plaintext, err = arrives(envelope, mallory, alice.Member, private)
	wantForged(t, "mallory opens it with the KEM key alone", plaintext, err)
}

func TestR2_UnsignedPrekey(t *testing.T) {
	bob := newPeer(t)
	user, key := identity.NewUserID(bob.UserKey), bob.signing.PublicKey()
	for _, prekey := range []identity.Prekey{bob.bundle.Signed, *bob.bundle.OneTime, bob.bundle.KEM} {
		statement := prekey.Statement()
		unsigned := len(statement) - identity.SignatureSize
		if _, err := identity.ParsePrekey(statement[:unsigned], user, key); !errors.Is(err, identity.ErrPrekeyForm) {
			t.Errorf("kind %d without a signature: %v", prekey.Kind, err)
		}
		clear(statement[unsigned:])
		if _, err := identity.ParsePrekey(statement, user, key); !errors.Is(err, identity.ErrSignature) {
			t.Errorf("kind %d with a signature of zeros: %v", prekey.Kind, err)
		}
	}
}

// weakKeys are X25519 keys that nobody may agree with (S2.3, S2.4).
func weakKeys() map[string][32]byte {
	field := [32]byte{0: 0xed, 31: 0x7f}
	for i := 1; i < 31; i++ {
		field[i] = 0xff
	}
	minusOne, notReduced := field, field
	minusOne[0], notReduced[0] = 0xec, 0xf6 // −1; 9 + p
	return map[string][32]byte{
		"0": {}, "1": {1}, "-1": minusOne, "p": field, "9 + p": notReduced, "9 with the top bit": {0: 9, 31: 0x80},
		"order 8": {
			0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
			0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
		},
	}
}

func wantWeak(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, identity.ErrKeyLowOrder) && !errors.Is(err, identity.ErrKeyNotCanonical) {
		t.Errorf("%s: %v", what, err)
	}
}

// TestS2_4_WeakKeysInEveryPlace: wherever a key comes in, one that everybody agrees with, or that has two spellings, is refused.
func TestS2_4_WeakKeysInEveryPlace(t *testing.T) {
	c := established(t)
	alice, bob := c.starter, c.replier
	first := startWith(t, alice, bob.Member, bob.bundle)
	for name, weak := range weakKeys() {
		starts := func(member cryptobox.Member, bundle cryptobox.PrekeyBundle) error {
			_, err := cryptobox.StartSession(nil, alice.agreement, alice.Member, member, bundle)
			return err
		}
		member := bob.Member
		member.AgreementKey = identity.AgreementPublicKey(weak)
		wantWeak(t, name+" as the answerer's agreement key", starts(member, bob.bundle))
		bundle := bob.bundle
		bundle.Signed = swapped(bundle.Signed, weak[:])
		wantWeak(t, name+" as signed prekey", starts(bob.Member, bundle))
		bundle = bob.bundle
		oneTime := swapped(*bundle.OneTime, weak[:])
		bundle.OneTime = &oneTime
		wantWeak(t, name+" as one-time prekey", starts(bob.Member, bundle))

		preamble, _, _ := cryptobox.ParseStart(first)
		member = alice.Member
		member.AgreementKey = identity.AgreementPublicKey(weak)
		_, err := cryptobox.AcceptSession(bob.agreement, bob.Member, member, preamble, bob.private)
		wantWeak(t, name+" as the starter's agreement key", err)
		_, _, err = cryptobox.ParseStart(append(append([]byte{first[0]}, weak[:]...), first[33:]...))
		wantWeak(t, name+" as ephemeral key", err)
		preamble.Ephemeral = weak
		_, err = cryptobox.AcceptSession(bob.agreement, bob.Member, alice.Member, preamble, bob.private)
		wantWeak(t, name+" as ephemeral key that no parser saw", err)
		c.refusesWeakRatchetKey(t, name, weak)
	}
}

// refusesWeakRatchetKey: alice, gone bad, turns the ratchet to a weak key.
func (c *conversation) refusesWeakRatchetKey(t *testing.T, name string, weak [32]byte) {
	t.Helper()
	c.says(c.alice, c.bob, "go on")
	c.says(c.bob, c.alice, "gone on")
	before := c.bob.Marshal()
	message := must(c.alice.SealHeader(nil, weak, 1, 0, []byte("x")))
	_, err := c.bob.Decrypt(nil, sentAt, message)
	wantWeak(t, name+" as ratchet key", err)
	if !bytes.Equal(before, c.bob.Marshal()) {
		t.Errorf("%s as ratchet key has changed the session", name)
	}
}

// TestR2_3_KEMKeyIsChecked: a key whose numbers are not reduced passes no modulus check (FIPS 203).
func TestR2_3_KEMKeyIsChecked(t *testing.T) {
	alice, bob := newPeer(t), newPeer(t)
	for name, key := range map[string][]byte{
		"numbers of 4095": bytes.Repeat([]byte{0xff}, 1184), "short": bob.bundle.KEM.Key[:1183], "none": nil,
		"an X25519 key": bob.bundle.Signed.Key,
	} {
		bundle := bob.bundle
		bundle.KEM = swapped(bundle.KEM, key)
		if _, err := cryptobox.StartSession(nil, alice.agreement, alice.Member, bob.Member, bundle); !errors.Is(err, cryptobox.ErrBundle) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestR1_UnknownKeyShare: mallory publishes keys of others as her own, which no signature of hers forbids (S4.3).
func TestR1_UnknownKeyShare(t *testing.T) {
	alice, bob, mallory := newPeer(t), newPeer(t), newPeer(t)
	asMallory := mallory.Member
	asMallory.AgreementKey = bob.AgreementKey
	oneTime := mallory.prekey(identity.PrekeyOneTime, 7, bob.private.OneTime.PublicKey())
	bundle := cryptobox.PrekeyBundle{
		Signed: mallory.prekey(identity.PrekeySigned, 3, bob.private.Signed.PublicKey()), OneTime: &oneTime,
		KEM: mallory.prekey(identity.PrekeyKEMOneTime, 9, bob.private.KEM.PublicKey()),
	}
	plaintext, err := arrives(startWith(t, alice, asMallory, bundle), bob, alice.Member, bob.private)
	wantForged(t, "what alice says to mallory passes as said to bob", plaintext, err)

	asMallory.AgreementKey = alice.AgreementKey
	plaintext, err = arrives(startWith(t, alice, bob.Member, bob.bundle), bob, asMallory, bob.private)
	wantForged(t, "what alice says passes as mallory's", plaintext, err)
}

// TestR1_IdentityMisbinding: all keys are right, and one name is not.
func TestR1_IdentityMisbinding(t *testing.T) {
	alice, bob, mallory := newPeer(t), newPeer(t), newPeer(t)
	envelope := startWith(t, alice, bob.Member, bob.bundle)
	for name, change := range map[string]func(starter, answerer *cryptobox.Member){
		"starter's user":    func(s, _ *cryptobox.Member) { s.UserKey = mallory.UserKey },
		"starter's device":  func(s, _ *cryptobox.Member) { s.Device = mallory.Device },
		"answerer's user":   func(_, a *cryptobox.Member) { a.UserKey = mallory.UserKey },
		"answerer's device": func(_, a *cryptobox.Member) { a.Device = mallory.Device },
	} {
		from, at := alice.Member, *bob
		change(&from, &at.Member)
		plaintext, err := arrives(envelope, &at, from, bob.private)
		wantForged(t, name, plaintext, err)
	}
}

func TestR1_Reflection(t *testing.T) {
	c := established(t)
	c.refuses(c.seal(c.alice, "I owe you 100"), c.alice, cryptobox.ErrForged)
	c.refuses(c.seal(c.bob, "I owe you 100"), c.bob, cryptobox.ErrForged)

	// The server gives alice's start back, as if bob had started with the prekeys of the same numbers that she holds.
	envelope := startWith(t, c.starter, c.replier.Member, c.replier.bundle)
	plaintext, err := arrives(envelope, c.starter, c.replier.Member, c.starter.private)
	wantForged(t, "reflected as bob's", plaintext, err)
	plaintext, err = arrives(envelope, c.starter, c.starter.Member, c.starter.private)
	wantForged(t, "reflected as her own", plaintext, err)
}

func TestR1_RedirectToAnotherSession(t *testing.T) {
	one, other := established(t), established(t)
	other.refuses(one.seal(one.alice, "x"), other.bob, cryptobox.ErrForged)
	other.refuses(one.seal(one.bob, "x"), other.alice, cryptobox.ErrForged)

	// A second session of the same two devices on the same prekeys.
	a, b := one.starter, one.replier
	second := must(cryptobox.StartSession(nil, a.agreement, a.Member, b.Member, b.bundle))
	_, message, _ := cryptobox.ParseStart(one.seal(second, "x"))
	one.refuses(message, one.bob, cryptobox.ErrForged)
}

func TestR1_RedirectToAnotherDevice(t *testing.T) {
	alice, bob, tablet := newPeer(t), newPeer(t), newPeer(t)
	tablet.UserKey = bob.UserKey // another device of bob's
	envelope := startWith(t, alice, bob.Member, bob.bundle)
	plaintext, err := arrives(envelope, tablet, alice.Member, tablet.private)
	wantForged(t, "with the tablet's prekeys of the same numbers", plaintext, err)
	plaintext, err = arrives(envelope, tablet, alice.Member, bob.private)
	wantForged(t, "even with bob's", plaintext, err)
}

func TestR1_DowngradeOfVersion(t *testing.T) {
	c := start(t)
	first := c.seal(c.alice, "first")
	for _, version := range []byte{0, 2, 255} {
		bad := append([]byte{version}, first[1:]...)
		if _, _, err := cryptobox.ParseStart(bad); !errors.Is(err, cryptobox.ErrSessionVersion) {
			t.Errorf("preamble of version %d: %v", version, err)
		}
	}
	message := c.accept(first)
	for _, version := range []byte{0, 2, 255} {
		c.refuses(append([]byte{version}, message[1:]...), c.bob, cryptobox.ErrSessionVersion)
	}
	c.opens(message, "first", c.bob)
}

func TestR1_DowngradeToNoKEM(t *testing.T) {
	alice, bob := newPeer(t), newPeer(t)
	bundle := bob.bundle
	bundle.KEM = identity.Prekey{}
	if _, err := cryptobox.StartSession(nil, alice.agreement, alice.Member, bob.Member, bundle); !errors.Is(err, cryptobox.ErrBundle) {
		t.Errorf("started without: %v", err)
	}
	first := startWith(t, alice, bob.Member, bob.bundle)
	for name, change := range map[string]func([]byte) []byte{
		"number 0":        func(b []byte) []byte { clear(b[42:46]); return b },
		"kind 0":          func(b []byte) []byte { b[41] = 0; return b },
		"an X25519 kind":  func(b []byte) []byte { b[41] = byte(identity.PrekeySigned); return b },
		"no signed":       func(b []byte) []byte { clear(b[33:37]); return b },
		"no ciphertext":   func(b []byte) []byte { return append(b[:46:46], b[cryptobox.PreambleSize:]...) },
		"nothing":         func([]byte) []byte { return nil },
		"only a preamble": func(b []byte) []byte { return b[:cryptobox.PreambleSize] },
	} {
		if _, _, err := cryptobox.ParseStart(change(bytes.Clone(first))); !errors.Is(err, cryptobox.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestR1_DowngradeToNoOneTimePrekey: the server takes the one-time prekey out of what alice sent.
func TestR1_DowngradeToNoOneTimePrekey(t *testing.T) {
	alice, bob := newPeer(t), newPeer(t)
	first := startWith(t, alice, bob.Member, bob.bundle)
	clear(first[37:41])
	private := bob.private
	private.OneTime = nil
	plaintext, err := arrives(first, bob, alice.Member, private)
	wantForged(t, "taken out", plaintext, err)
	plaintext, err = arrives(first, bob, alice.Member, bob.private)
	wantForged(t, "the number alone", plaintext, err)
}

func TestR4_Replay(t *testing.T) {
	c := established(t)
	var all [][]byte
	for range 3 {
		all = append(all, c.seal(c.alice, "again"))
		c.opens(all[len(all)-1], "again", c.bob)
		c.says(c.bob, c.alice, "go on")
	}
	for _, message := range all {
		c.refuses(message, c.bob, cryptobox.ErrKeyUsed)
	}
}

func TestR4_Reorder(t *testing.T) {
	c := established(t)
	var all [][]byte
	for _, text := range []string{"0", "1", "2", "3", "4", "5"} {
		all = append(all, c.seal(c.alice, text))
	}
	for _, at := range []int{5, 0, 3, 4, 1, 2} {
		c.opens(all[at], string(rune('0'+at)), c.bob)
	}
	if keys, _ := c.bob.KeptKeys(); keys != 0 {
		t.Errorf("all came, and %d keys are kept", keys)
	}
}

// TestR4_HugeCounter: a peer gone bad asks for work and memory without end. Without its header key nobody can even ask.
func TestR4_HugeCounter(t *testing.T) {
	c := established(t)
	ratchet := must(c.alice.PublicRatchet())
	for _, number := range []uint32{cryptobox.MaxSkip + 2, 1 << 20, 1 << 31, math.MaxUint32 - 1, math.MaxUint32} {
		c.refuses(must(c.alice.SealHeader(nil, ratchet, 0, number, nil)), c.bob, cryptobox.ErrTooFarAhead)
	}
	c.says(c.alice, c.bob, "now bob holds the new chain")
	c.says(c.bob, c.alice, "and alice turns")
	ratchet = must(c.alice.PublicRatchet())
	for _, previous := range []uint32{cryptobox.MaxSkip + 2, 1 << 31, math.MaxUint32} {
		c.refuses(must(c.alice.SealHeader(nil, ratchet, previous, 0, nil)), c.bob, cryptobox.ErrTooFarAhead)
	}
	c.says(c.alice, c.bob, "still works")
	far := must(c.alice.SealHeader(nil, ratchet, 0, math.MaxUint32-1, nil))
	allocated := testing.AllocsPerRun(10, func() { _, _ = c.bob.Decrypt(nil, sentAt, far) })
	if allocated > 100 {
		t.Errorf("%v allocations for one refused message", allocated)
	}
}

// maxStateSize is what a session can grow to: its fixed part, and the kept keys.
const maxStateSize = 1 + 5*32 + 1 + 2*32 + 2*4 + 2 + cryptobox.PreambleSize + 1 + cryptobox.MaxChains*(3*32+4+2) + cryptobox.MaxKeptKeys*(4+32+8)

// TestR4_KeptKeysAreBounded: whatever is lost or held back, neither keys nor chains nor bytes grow without end; the oldest go.
func TestR4_KeptKeysAreBounded(t *testing.T) {
	c := established(t)
	oldest := c.seal(c.alice, "oldest")
	for range cryptobox.MaxChains + 3 {
		for range cryptobox.MaxSkip - 1 {
			c.seal(c.alice, "held back")
		}
		c.says(c.alice, c.bob, "x")
		c.says(c.bob, c.alice, "turn")
		keys, chains := c.bob.KeptKeys()
		if keys > cryptobox.MaxKeptKeys || chains > cryptobox.MaxChains || len(c.bob.Marshal()) > maxStateSize {
			t.Fatalf("%d keys, %d chains, %d bytes", keys, chains, len(c.bob.Marshal()))
		}
		c.bob = must(cryptobox.ParseSession(c.bob.Marshal()))
	}
	if keys, chains := c.bob.KeptKeys(); keys != cryptobox.MaxKeptKeys || chains != cryptobox.MaxChains {
		t.Errorf("%d keys, %d chains: the bounds are not what is kept", keys, chains)
	}
	c.refuses(oldest, c.bob, cryptobox.ErrForged) // its chain is gone, and with it the key that opens its header
}

// TestR1_KEMKeyConfusion: the KEM prekey that was used is one of a kind and number.
func TestR1_KEMKeyConfusion(t *testing.T) {
	alice, bob := newPeer(t), newPeer(t)
	lastResort := bob.bundle
	lastResort.KEM = bob.prekey(identity.PrekeyKEMLastResort, 9, bob.private.KEM.PublicKey())
	for name, bundle := range map[string]cryptobox.PrekeyBundle{"one-time": bob.bundle, "last-resort": lastResort} {
		first := startWith(t, alice, bob.Member, bundle)
		if _, err := arrives(first, bob, alice.Member, bob.private); err != nil {
			t.Fatal(err)
		}
		confused := bytes.Clone(first)
		confused[41] ^= byte(identity.PrekeyKEMOneTime) ^ byte(identity.PrekeyKEMLastResort)
		plaintext, err := arrives(confused, bob, alice.Member, bob.private)
		wantForged(t, name+" presented as the other kind", plaintext, err)
		confused = bytes.Clone(first)
		confused[45]++
		plaintext, err = arrives(confused, bob, alice.Member, bob.private)
		wantForged(t, name+" presented under another number", plaintext, err)
		private := bob.private
		private.KEM = must(cryptobox.GenerateKEMPrekey(nil))
		plaintext, err = arrives(first, bob, alice.Member, private)
		wantForged(t, name+" answered with another key", plaintext, err)
	}
	bundle := bob.bundle
	bundle.KEM.Kind = identity.PrekeySigned
	if _, err := cryptobox.StartSession(nil, alice.agreement, alice.Member, bob.Member, bundle); !errors.Is(err, cryptobox.ErrBundle) {
		t.Errorf("a KEM key of no KEM kind: %v", err)
	}
}

// TestR2_OneTimeKeyHandedOutTwice: each start has keys of its own all the same, and the second finds the private half gone.
func TestR2_OneTimeKeyHandedOutTwice(t *testing.T) {
	alice, bob := newPeer(t), newPeer(t)
	first, second := startWith(t, alice, bob.Member, bob.bundle), startWith(t, alice, bob.Member, bob.bundle)
	preamble, _, _ := cryptobox.ParseStart(first)
	session := must(cryptobox.AcceptSession(bob.agreement, bob.Member, alice.Member, preamble, bob.private))
	_, message, _ := cryptobox.ParseStart(second)
	_, err := session.Decrypt(nil, sentAt, message)
	wantForged(t, "the second under the keys of the first", nil, err)
	bob.private.OneTime.Erase()
	if _, err := arrives(second, bob, alice.Member, bob.private); !errors.Is(err, cryptobox.ErrErased) {
		t.Errorf("the second after the first: %v", err)
	}
}

// TestR1_AnyChangedByteOfAStartIsRefused: every byte of the preamble and of the message counts.
func TestR1_AnyChangedByteOfAStartIsRefused(t *testing.T) {
	alice, bob := newPeer(t), newPeer(t)
	first := startWith(t, alice, bob.Member, bob.bundle)
	for at := range first {
		bad := bytes.Clone(first)
		bad[at] ^= 1 << (at % 8)
		if plaintext, err := arrives(bad, bob, alice.Member, bob.private); err == nil || plaintext != nil {
			t.Fatalf("byte %d changed: %q, %v", at, plaintext, err)
		}
	}
}

func TestR1_AnyChangedBitOfAMessageIsRefused(t *testing.T) {
	c := established(t)
	message := c.seal(c.alice, "hi")
	for bit := range len(message) * 8 {
		bad := bytes.Clone(message)
		bad[bit/8] ^= 1 << (bit % 8)
		want := cryptobox.ErrForged
		if bit < 8 {
			want = cryptobox.ErrSessionVersion
		}
		c.refuses(bad, c.bob, want)
	}
	for length := range len(message) {
		c.refuses(message[:length], c.bob, cryptobox.ErrForged)
	}
	c.refuses(append(bytes.Clone(message), 0), c.bob, cryptobox.ErrForged)
	c.refuses(make([]byte, cryptobox.SessionOverhead+cryptobox.MaxContentSize+1), c.bob, cryptobox.ErrSessionVersion)
	c.opens(message, "hi", c.bob)
}

// TestR1_BodyUnderAnotherHeaderIsRefused: the header's bytes are associated data of the content (R3.3).
func TestR1_BodyUnderAnotherHeaderIsRefused(t *testing.T) {
	c := established(t)
	one, two := c.seal(c.alice, "one"), c.seal(c.alice, "two")
	c.refuses(append(bytes.Clone(one[:81]), two[81:]...), c.bob, cryptobox.ErrForged)
	c.refuses(append(bytes.Clone(two[:81]), one[81:]...), c.bob, cryptobox.ErrForged)
	c.opens(two, "two", c.bob)
	c.opens(one, "one", c.bob)
}

// TestR3_NoRandomnessNoMessage: without random bytes nothing is sealed, and nothing changes.
func TestR3_NoRandomnessNoMessage(t *testing.T) {
	c := established(t)
	message := c.seal(c.alice, "turns")
	for size, act := range map[int]func(*cryptobox.Session) error{
		47: func(s *cryptobox.Session) error {
			_, err := s.Encrypt(bytes.NewReader(make([]byte, 47)), nil)
			return err
		},
		31: func(s *cryptobox.Session) error {
			_, err := s.Decrypt(bytes.NewReader(make([]byte, 31)), sentAt, message)
			return err
		},
	} {
		before := c.bob.Marshal()
		if err := act(c.bob); err == nil {
			t.Errorf("%d random bytes were enough", size)
		}
		if !bytes.Equal(before, c.bob.Marshal()) {
			t.Errorf("%d random bytes have changed the session", size)
		}
	}
	c.opens(message, "turns", c.bob)
	one, two := c.seal(c.bob, "x"), c.seal(c.bob, "x")
	if bytes.Equal(one[1:25], two[1:25]) || bytes.Equal(one[81:105], two[81:105]) || bytes.Equal(one[1:25], one[81:105]) {
		t.Error("a nonce came twice")
	}
}

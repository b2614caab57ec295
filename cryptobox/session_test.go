package cryptobox_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// peer is one device with everything that sessions need.
type peer struct {
	cryptobox.Member
	agreement *cryptobox.AgreementKey
	signing   *cryptobox.SigningKey
	private   cryptobox.PrivatePrekeys
	bundle    cryptobox.PrekeyBundle
}

func newPeer(t testing.TB) *peer {
	t.Helper()
	user, signing := must(cryptobox.GenerateSigningKey(nil)), must(cryptobox.GenerateSigningKey(nil))
	p := &peer{agreement: must(cryptobox.GenerateAgreementKey(nil)), signing: signing}
	p.Member = cryptobox.Member{
		UserKey: user.PublicKey(), Device: identity.NewDeviceID(signing.PublicKey()), AgreementKey: p.agreement.PublicKey(),
	}
	p.private = cryptobox.PrivatePrekeys{
		Signed: must(cryptobox.GenerateX25519Prekey(nil)), OneTime: must(cryptobox.GenerateX25519Prekey(nil)),
		KEM: must(cryptobox.GenerateKEMPrekey(nil)),
	}
	oneTime := p.prekey(identity.PrekeyOneTime, 7, p.private.OneTime.PublicKey())
	p.bundle = cryptobox.PrekeyBundle{
		Signed: p.prekey(identity.PrekeySigned, 3, p.private.Signed.PublicKey()), OneTime: &oneTime,
		KEM: p.prekey(identity.PrekeyKEMOneTime, 9, p.private.KEM.PublicKey()),
	}
	return p
}

func (p *peer) prekey(kind identity.PrekeyKind, number uint32, key []byte) identity.Prekey {
	return must(identity.SignPrekey(identity.PrekeyFields{
		Kind: kind, User: identity.NewUserID(p.UserKey), Number: number, CreatedAt: sentAt, Key: key,
	}, p.signing))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// conversation is a session on both sides.
type conversation struct {
	testing.TB
	alice, bob       *cryptobox.Session
	starter, replier *peer
}

func start(t testing.TB) *conversation {
	t.Helper()
	a, b := newPeer(t), newPeer(t)
	c := &conversation{TB: t, starter: a, replier: b}
	c.alice = must(cryptobox.StartSession(nil, a.agreement, a.Member, b.Member, b.bundle))
	return c
}

// accept makes Bob's side from a first message, and gives the message behind the preamble.
func (c *conversation) accept(envelope []byte) []byte {
	c.Helper()
	preamble, message, err := cryptobox.ParseStart(envelope)
	if err != nil {
		c.Fatal(err)
	}
	b := c.replier
	c.bob = must(cryptobox.AcceptSession(b.agreement, b.Member, c.starter.Member, preamble, b.private))
	return message
}

// established has one message each way.
func established(t testing.TB) *conversation {
	t.Helper()
	c := start(t)
	c.opens(c.bobAccepts("first"), "first", c.bob)
	c.says(c.bob, c.alice, "answer")
	return c
}

func (c *conversation) bobAccepts(text string) []byte { return c.accept(c.seal(c.alice, text)) }

func (c *conversation) seal(from *cryptobox.Session, text string) []byte {
	c.Helper()
	return must(from.Encrypt(nil, []byte(text)))
}

func (c *conversation) opens(message []byte, text string, by *cryptobox.Session) {
	c.Helper()
	got, err := by.Decrypt(nil, sentAt, message)
	if err != nil || string(got) != text {
		c.Fatalf("opened %q, %v; want %q", got, err, text)
	}
}

// refuses asserts an error that leaves the session as it was.
func (c *conversation) refuses(message []byte, by *cryptobox.Session, want error) {
	c.Helper()
	before := by.Marshal()
	if got, err := by.Decrypt(nil, sentAt, message); !errors.Is(err, want) {
		c.Fatalf("opened %q, error %v, want %v", got, err, want)
	}
	if !bytes.Equal(before, by.Marshal()) {
		c.Fatal("a message that was refused has changed the session")
	}
}

func (c *conversation) says(from, to *cryptobox.Session, text string) {
	c.Helper()
	c.opens(c.seal(from, text), text, to)
}

func TestSession(t *testing.T) {
	c := start(t)
	if !c.alice.Started() {
		t.Fatal("a new session is not a started one")
	}
	first, second := c.seal(c.alice, "one"), c.seal(c.alice, "two")
	message := c.accept(first)
	if c.bob.CanSend() {
		t.Fatal("who answers can send before the start was proved")
	}
	c.opens(message, "one", c.bob)
	_, message, _ = cryptobox.ParseStart(second)
	c.opens(message, "two", c.bob)
	c.says(c.bob, c.alice, "answer")
	if c.alice.Started() {
		t.Fatal("an answered session still sends its preamble")
	}
	for i := range 20 {
		c.says(c.alice, c.bob, fmt.Sprint("ping ", i))
		if i%3 > 0 {
			c.says(c.bob, c.alice, fmt.Sprint("pong ", i))
		}
		c.alice = must(cryptobox.ParseSession(c.alice.Marshal()))
		c.bob = must(cryptobox.ParseSession(c.bob.Marshal()))
	}
}

func TestSessionWithoutOneTimePrekey(t *testing.T) {
	c := start(t)
	c.replier.bundle.OneTime, c.replier.private.OneTime = nil, nil
	a, b := c.starter, c.replier
	c.alice = must(cryptobox.StartSession(nil, a.agreement, a.Member, b.Member, b.bundle))
	c.opens(c.bobAccepts("first"), "first", c.bob)
}

func TestSessionOutOfOrder(t *testing.T) {
	c := established(t)
	var all [][]byte
	for turn := range 3 {
		for i := range 4 {
			all = append(all, c.seal(c.alice, fmt.Sprint(turn, i)))
		}
		c.opens(all[len(all)-1], fmt.Sprint(turn, 3), c.bob)
		c.says(c.bob, c.alice, "go on")
	}
	for at := len(all) - 1; at >= 0; at-- {
		if at%4 == 3 {
			c.refuses(all[at], c.bob, cryptobox.ErrKeyUsed)
			continue
		}
		c.opens(all[at], fmt.Sprint(at/4, at%4), c.bob)
		c.refuses(all[at], c.bob, cryptobox.ErrKeyUsed)
	}
}

// TestSessionKeepsTheEndOfAChain: what comes after the peer has turned still opens, by the length that the new chain names.
func TestSessionKeepsTheEndOfAChain(t *testing.T) {
	c := established(t)
	c.says(c.alice, c.bob, "one")
	two, three := c.seal(c.alice, "two"), c.seal(c.alice, "three")
	c.says(c.bob, c.alice, "turn")
	c.says(c.alice, c.bob, "from the next chain")
	c.opens(three, "three", c.bob)
	c.opens(two, "two", c.bob)
	c.refuses(three, c.bob, cryptobox.ErrKeyUsed)
}

func TestSessionBounds_R4(t *testing.T) {
	c := established(t)
	early := c.seal(c.alice, "early")
	for range cryptobox.MaxSkip {
		c.seal(c.alice, "lost")
	}
	far := c.seal(c.alice, "far")
	c.refuses(far, c.bob, cryptobox.ErrTooFarAhead)
	c.opens(early, "early", c.bob)
	c.opens(far, "far", c.bob)
}

func TestSessionForgetsKeptKeysByAge_R4(t *testing.T) {
	c := established(t)
	late := c.seal(c.alice, "late")
	c.says(c.alice, c.bob, "now")
	if got, err := c.bob.Decrypt(nil, sentAt.Add(cryptobox.KeptKeyLifetime-time.Hour), c.seal(c.alice, "in time")); err != nil {
		t.Fatal(got, err)
	}
	tooLate := sentAt.Add(cryptobox.KeptKeyLifetime + time.Hour)
	if got, err := c.bob.Decrypt(nil, tooLate, late); !errors.Is(err, cryptobox.ErrKeyUsed) {
		t.Fatalf("opened with an old key that nobody has cleared away: %q, %v", got, err)
	}
	c.bob.Expire(tooLate)
	c.refuses(late, c.bob, cryptobox.ErrKeyUsed)
}

// TestErasedSessionOpensNothing: with keys that are all zero, anyone could seal what it opens.
func TestErasedSessionOpensNothing(t *testing.T) {
	c := established(t)
	message := c.seal(c.alice, "hello")
	c.bob.Erase()
	for _, s := range []*cryptobox.Session{c.bob, {}} {
		if _, err := s.Decrypt(nil, sentAt, message); !errors.Is(err, cryptobox.ErrErased) {
			t.Errorf("opened: %v", err)
		}
		if _, err := s.Encrypt(nil, nil); !errors.Is(err, cryptobox.ErrErased) {
			t.Errorf("sealed: %v", err)
		}
		if s.Marshal() != nil || s.Started() || s.CanSend() || s.Ephemeral() != ([32]byte{}) {
			t.Error("there is something left of it")
		}
		s.Expire(sentAt)
		s.Erase()
	}
}

// TestAcceptSessionWithoutItsPrekeys: what was used or replaced is gone.
func TestAcceptSessionWithoutItsPrekeys(t *testing.T) {
	c := start(t)
	preamble, _, err := cryptobox.ParseStart(c.seal(c.alice, "first"))
	if err != nil {
		t.Fatal(err)
	}
	b := c.replier
	for name, lost := range map[string]func(*cryptobox.PrivatePrekeys){
		"signed": func(p *cryptobox.PrivatePrekeys) { p.Signed = nil },
		"KEM":    func(p *cryptobox.PrivatePrekeys) { p.KEM = nil },
	} {
		private := b.private
		lost(&private)
		if _, err := cryptobox.AcceptSession(b.agreement, b.Member, c.starter.Member, preamble, private); !errors.Is(err, cryptobox.ErrErased) {
			t.Errorf("without the %s prekey: %v", name, err)
		}
	}
}

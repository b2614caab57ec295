package cryptobox_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// sessionErrors are the classes that a session refuses with.
var sessionErrors = []error{
	cryptobox.ErrForged, cryptobox.ErrSessionVersion, cryptobox.ErrKeyUsed, cryptobox.ErrTooFarAhead,
	identity.ErrKeyLowOrder, identity.ErrKeyNotCanonical,
}

func isSessionError(err error) bool {
	return slices.ContainsFunc(sessionErrors, func(class error) bool { return errors.Is(err, class) })
}

// addEnvelopes adds what the vectors hold to a fuzz target's corpus, and fails if that leaves it empty.
func addEnvelopes(f *testing.F) {
	f.Helper()
	for _, step := range loadScript(f).Steps {
		f.Add([]byte(step.Envelope))
	}
	for _, v := range loadVectors[agreementVector](f, "pqxdh.json") {
		f.Add([]byte(v.Envelope))
	}
}

func FuzzParseStart(f *testing.F) {
	addEnvelopes(f)
	bob := newPeer(f)
	alice := newPeer(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		preamble, message, err := cryptobox.ParseStart(input)
		if err != nil {
			if !isSessionError(err) || preamble != nil || message != nil {
				t.Fatalf("an error of no class, or something with it: %v", err)
			}
			return
		}
		if len(message)+cryptobox.PreambleSize != len(input) || preamble.Signed == 0 || preamble.KEM == 0 {
			t.Fatalf("accepted %x", input)
		}
		private := bob.private
		if preamble.OneTime == 0 {
			private.OneTime = nil
		}
		session, err := cryptobox.AcceptSession(bob.agreement, bob.Member, alice.Member, preamble, private)
		if err != nil {
			t.Fatalf("what the parser takes is no session: %v", err)
		}
		if plaintext, err := session.Decrypt(nil, sentAt, message); !isSessionError(err) || plaintext != nil {
			t.Fatalf("a made-up start opens: %q, %v", plaintext, err)
		}
	})
}

func FuzzSessionDecrypt(f *testing.F) {
	c := established(f)
	late := c.seal(c.alice, "late")
	c.says(c.alice, c.bob, "now")
	next := c.seal(c.alice, "next")
	state := c.bob.Marshal()
	f.Add(late)
	f.Add(next)
	f.Add(c.seal(c.bob, "reflected"))
	addEnvelopes(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		session := must(cryptobox.ParseSession(state))
		plaintext, err := session.Decrypt(nil, sentAt, input)
		if err != nil {
			if !isSessionError(err) || plaintext != nil || !bytes.Equal(session.Marshal(), state) {
				t.Fatalf("refused with %v, and something has changed", err)
			}
			return
		}
		if !bytes.Equal(input, late) && !bytes.Equal(input, next) {
			t.Fatalf("opened %x", input)
		}
		if _, err := session.Decrypt(nil, sentAt, input); !errors.Is(err, cryptobox.ErrKeyUsed) {
			t.Fatalf("opened twice, or %v", err)
		}
	})
}

func FuzzParseSession(f *testing.F) {
	for _, v := range loadVectors[stateVector](f, "state_v1.json") {
		f.Add([]byte(v.State))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		session, err := cryptobox.ParseSession(input)
		if err != nil {
			if !errors.Is(err, cryptobox.ErrState) || session != nil {
				t.Fatalf("an error of no class, or a session with it: %v", err)
			}
			return
		}
		if !bytes.Equal(session.Marshal(), input) {
			t.Fatalf("%x is written as %x", input, session.Marshal())
		}
		sealed, err := session.Encrypt(nil, []byte("x"))
		if err == nil != session.CanSend() && !errors.Is(err, cryptobox.ErrCannotSend) || err != nil && sealed != nil {
			t.Fatalf("sends: %v", err)
		}
		_, _ = session.Decrypt(nil, sentAt, make([]byte, 200))
		_ = session.Started()
		_ = session.Ephemeral()
		session.Expire(sentAt)
	})
}

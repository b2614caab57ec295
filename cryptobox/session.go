package cryptobox

import (
	"fmt"
	"io"
	"time"
)

// Bounds of a session (R4).
const (
	// MaxChains is how many receiving chains are kept: what is older than five turns of the conversation is lost.
	MaxChains = 5
	// MaxSkip is how many messages one step may skip: it bounds the work that one envelope can ask for, to a few milliseconds.
	MaxSkip = 1000
	// MaxKeptKeys is how many keys of skipped messages a session keeps, some 90 KiB; the oldest go first.
	MaxKeptKeys = 2000
	// KeptKeyLifetime is how long such a key is kept: as long as an envelope waits on a server at the most.
	KeptKeyLifetime = 30 * 24 * time.Hour
)

// SessionOverhead is how many bytes a session message is longer than what it holds; a first message, PreambleSize more.
const SessionOverhead = minMessageSize

// Session is one side of the Double Ratchet with header encryption between two devices. Its methods change it in memory; it
// counts once Marshal's bytes are durable (R5). What fails has changed nothing. Its state lies behind a function, as private
// keys do, so that nothing prints it. It is not safe for use by several goroutines.
type Session struct{ state func() *sessionState }

func newSession(state *sessionState) *Session {
	return &Session{func() *sessionState { return state }}
}

// newStarter is the Double Ratchet's initialisation with header encryption for who starts; the peer's signed prekey is its
// first ratchet key (R1).
func newStarter(random io.Reader, a agreed, signedPrekey [32]byte, preamble []byte) (*Session, error) {
	s := &sessionState{associated: a.associated, root: a.root, preamble: preamble, nextReceivingHeader: a.answererHeader}
	if err := s.turn(random, signedPrekey); err != nil {
		return nil, err
	}
	s.sending.header = a.starterHeader
	return newSession(s), nil
}

// newAnswerer is the same for who answers. It sends once it has received.
func newAnswerer(a agreed, signedPrekey []byte) *Session {
	s := &sessionState{
		associated: a.associated, root: a.root, ratchet: [32]byte(signedPrekey),
		nextReceivingHeader: a.starterHeader, nextSendingHeader: a.answererHeader,
	}
	clear(signedPrekey)
	return newSession(s)
}

// Started reports whether the session was started on this side and not answered yet: then Encrypt makes first messages.
func (s *Session) Started() bool {
	state, err := s.open()
	return err == nil && len(state.preamble) > 0
}

// CanSend reports whether the session may send. Who answers cannot before Decrypt has opened a first message.
func (s *Session) CanSend() bool {
	state, err := s.open()
	return err == nil && state.sending.open
}

// Ephemeral gives the ephemeral key that the session was agreed with, by which crossed starts are settled (R4); zero
// once the session was answered.
func (s *Session) Ephemeral() (key [32]byte) {
	if s.Started() {
		copy(key[:], s.state().preamble[1:33])
	}
	return key
}

// Encrypt seals at most MaxContentSize bytes: the ciphertext of a SESSION envelope or, as long as Started, of a
// SESSION_START. Nonces are from random (nil: the operating system's; R3). It fails with ErrTooLong, ErrCannotSend or ErrErased.
func (s *Session) Encrypt(random io.Reader, plaintext []byte) ([]byte, error) {
	state, err := s.open()
	if err != nil {
		return nil, err
	}
	if len(plaintext) > MaxContentSize {
		return nil, ErrTooLong
	}
	return state.encrypt(random, plaintext)
}

// Decrypt opens a session message (of a SESSION_START: what ParseStart gives behind the preamble). now is the device's
// clock, by which kept keys age; a turn of the ratchet takes a new key from random (nil: the operating system's).
//
// It fails with ErrForged if no key of this session opens it, ErrKeyUsed if its key was used or is no longer kept,
// ErrTooFarAhead beyond MaxSkip, ErrSessionVersion, ErrErased, or an identity key error.
func (s *Session) Decrypt(random io.Reader, now time.Time, message []byte) ([]byte, error) {
	state, err := s.open()
	if err != nil {
		return nil, err
	}
	m, err := parseMessage(message)
	if err != nil {
		return nil, err
	}
	return state.decrypt(random, now, m)
}

// open gives what may be used, or ErrErased: keys that are all zero would open what anyone can seal.
func (s *Session) open() (*sessionState, error) {
	if s.state == nil || s.state().erased {
		return nil, ErrErased
	}
	return s.state(), nil
}

// Format prints a placeholder for every verb.
func (*Session) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "[session]") }

// MarshalJSON fails with ErrSecret; see Marshal.
func (*Session) MarshalJSON() ([]byte, error) { return nil, ErrSecret }

// Erase overwrites the session's keys, as far as memory can be reached. Afterwards it fails with ErrErased, and Marshal gives
// nothing.
func (s *Session) Erase() {
	state, err := s.open()
	if err != nil {
		return
	}
	for i := range state.receiving {
		clear(state.receiving[i].kept)
	}
	clear(state.receiving)
	*state = sessionState{erased: true}
}

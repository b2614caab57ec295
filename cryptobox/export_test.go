package cryptobox

import "io"

// StartSessionWith is StartSession with another encapsulator: the standard library takes no randomness for it (V1).
var StartSessionWith = startSession

// RatchetRoot is KDF_RK.
func RatchetRoot(root [32]byte, own *X25519Prekey, peer [32]byte) (newRoot, chain, header [32]byte, err error) {
	return ratchetRoot(root, own.secret, peer)
}

// Advance is KDF_CK.
var Advance = advance

// SealHeader seals a message as a peer gone bad would: under its sending header key, but with this header. The chain does
// not move.
func (s *Session) SealHeader(random io.Reader, ratchet [32]byte, previous, number uint32, plaintext []byte) ([]byte, error) {
	state := s.state()
	key := state.sending.key
	for n := state.sending.next; n < number && n < state.sending.next+2*MaxSkip; n++ {
		_, key = advance(key)
	}
	message, _ := advance(key)
	return state.seal(random, message, messageHeader{ratchet: ratchet, previous: previous, number: number}, plaintext)
}

// PublicRatchet gives the ratchet key that the session's headers carry.
func (s *Session) PublicRatchet() ([32]byte, error) { return s.state().publicRatchet() }

// KeptKeys counts the keys of skipped messages, and the receiving chains.
func (s *Session) KeptKeys() (keys, chains int) {
	for _, chain := range s.state().receiving {
		keys += len(chain.kept)
	}
	return keys, len(s.state().receiving)
}

// OpenHeader opens a message's encrypted header, its nonce in front.
func OpenHeader(key, associated [32]byte, sealed []byte) (ratchet [32]byte, previous, number uint32, err error) {
	state := sessionState{associated: associated}
	header, ok := state.openHeader(key, message{header: sealed})
	if !ok {
		return ratchet, 0, 0, ErrForged
	}
	return header.ratchet, header.previous, header.number, nil
}

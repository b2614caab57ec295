package cryptobox

import (
	"encoding/binary"
	"math"
	"time"
)

const (
	stateVersion = 1
	keptKeySize  = 4 + 32 + 8
)

// Marshal gives the session's state for the device's records, which hold private keys and are encrypted. The layout is the
// device's own affair:
//
//	version 1 ‖ associated data ‖ root ‖ own ratchet seed ‖ next sending header key ‖ next receiving header key
//	‖ sending: open (u8) ‖ header key ‖ chain key ‖ next (u32) ‖ length of the chain before (u32)
//	‖ preamble's length (u16) ‖ preamble
//	‖ number of chains (u8) ‖ each: header key ‖ ratchet key ‖ chain key ‖ next (u32)
//	  ‖ number of kept keys (u16) ‖ each: number (u32) ‖ key ‖ since (u64, Unix seconds)
func (s *Session) Marshal() []byte {
	state, err := s.open()
	if err != nil {
		return nil
	}
	b := append(make([]byte, 0, state.size()), stateVersion)
	for _, key := range state.keys() {
		b = append(b, key[:]...)
	}
	open := byte(0)
	if state.sending.open {
		open = 1
	}
	b = append(b, open)
	b = append(b, state.sending.header[:]...)
	b = append(b, state.sending.key[:]...)
	b = binary.BigEndian.AppendUint32(b, state.sending.next)
	b = binary.BigEndian.AppendUint32(b, state.sending.previous)
	b = binary.BigEndian.AppendUint16(b, uint16(len(state.preamble))) //nolint:gosec // PreambleSize or 0
	b = append(b, state.preamble...)
	b = append(b, byte(len(state.receiving))) //nolint:gosec // at most MaxChains
	for i := range state.receiving {
		b = state.receiving[i].append(b)
	}
	return b
}

// size is about what Marshal writes, so that keys are not copied about while it grows.
func (s *sessionState) size() int {
	size := 512 + len(s.preamble)
	for i := range s.receiving {
		size += 128 + keptKeySize*len(s.receiving[i].kept)
	}
	return size
}

func (s *sessionState) keys() []*[32]byte {
	return []*[32]byte{&s.associated, &s.root, &s.ratchet, &s.nextSendingHeader, &s.nextReceivingHeader}
}

func (c *receivingChain) append(b []byte) []byte {
	b = append(b, c.header[:]...)
	b = append(b, c.ratchet[:]...)
	b = append(b, c.key[:]...)
	b = binary.BigEndian.AppendUint32(b, c.next)
	b = binary.BigEndian.AppendUint16(b, uint16(len(c.kept))) //nolint:gosec // at most MaxKeptKeys
	for _, kept := range c.kept {
		b = binary.BigEndian.AppendUint32(b, kept.number)
		b = append(b, kept.key[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(kept.since)) //nolint:gosec // ParseSession refuses what is negative
	}
	return b
}

// ParseSession reads what Marshal has written. It fails with ErrState.
func ParseSession(b []byte) (*Session, error) {
	r := stateReader{rest: b}
	version := r.take(1)[0]
	state := new(sessionState)
	for _, key := range state.keys() {
		*key = r.key()
	}
	open := r.take(1)[0]
	state.sending = sendingChain{open: open == 1, header: r.key(), key: r.key(), next: r.uint32(), previous: r.uint32()}
	if size := int(r.uint16()); size > 0 {
		state.preamble = append([]byte(nil), r.take(size)...)
	}
	chains := int(r.take(1)[0])
	preambleFits := len(state.preamble) == 0 || len(state.preamble) == PreambleSize
	if r.short || version != stateVersion || open > 1 || !preambleFits || chains > MaxChains {
		return nil, ErrState
	}
	for range chains {
		state.receiving = append(state.receiving, r.chain())
	}
	if r.short || len(r.rest) > 0 {
		return nil, ErrState
	}
	return newSession(state), nil
}

// stateReader takes fields off the front; after the first that is not there it gives zeros and stays short.
type stateReader struct {
	rest  []byte
	short bool
}

func (r *stateReader) take(n int) []byte {
	if r.short || len(r.rest) < n {
		r.short = true
		return make([]byte, n)
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *stateReader) key() [32]byte  { return [32]byte(r.take(32)) }
func (r *stateReader) uint16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *stateReader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

func (r *stateReader) chain() receivingChain {
	c := receivingChain{header: r.key(), ratchet: r.key(), key: r.key(), next: r.uint32()}
	count := int(r.uint16())
	if count > MaxKeptKeys || len(r.rest) < count*keptKeySize {
		r.short = true
		return c
	}
	c.kept = make([]keptKey, 0, count)
	for range count {
		kept := keptKey{number: r.uint32(), key: r.key()}
		since := binary.BigEndian.Uint64(r.take(8))
		if since > math.MaxInt64 || kept.number >= c.next || len(c.kept) > 0 && kept.number <= c.kept[len(c.kept)-1].number {
			r.short = true
			return c
		}
		kept.since = int64(since)
		c.kept = append(c.kept, kept)
	}
	return c
}

// Expire forgets kept keys that have grown old, for sessions in which nothing comes any more.
func (s *Session) Expire(now time.Time) {
	if state, err := s.open(); err == nil {
		state.expire(now)
	}
}

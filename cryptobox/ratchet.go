package cryptobox

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"slices"
	"time"
)

const ratchetContext = "letterlock/ratchet/v1"

// sessionState is what the Double Ratchet's specification, section 4, calls the state variables.
type sessionState struct {
	associated          [32]byte  // R1
	root                [32]byte  // RK
	ratchet             [32]byte  // DHs, as its seed
	ratchetPublic       *[32]byte // its public key, once it was needed
	sending             sendingChain
	nextSendingHeader   [32]byte         // NHKs
	nextReceivingHeader [32]byte         // NHKr
	receiving           []receivingChain // newest first, at most MaxChains; all but the first only have kept keys
	preamble            []byte           // of the starter, until the first answer
	erased              bool
}

// sendingChain is HKs, CKs, Ns and PN.
type sendingChain struct {
	open     bool
	header   [32]byte
	key      [32]byte
	next     uint32
	previous uint32
}

// receivingChain is HKr, DHr, CKr, Nr and the part of MKSKIPPED under that header key.
type receivingChain struct {
	header  [32]byte
	ratchet [32]byte
	key     [32]byte // zero once a newer chain has begun
	next    uint32
	kept    []keptKey // ascending numbers below next
}

// keptKey is the message key of a message that was skipped.
type keptKey struct {
	number uint32
	key    [32]byte
	since  int64 // Unix seconds
}

// turn is the sending half of a DH ratchet step: a new ratchet key of one's own, agreed with the peer's.
func (s *sessionState) turn(random io.Reader, peer [32]byte) error {
	own, err := GenerateX25519Prekey(random)
	if err != nil {
		return err
	}
	defer own.Erase()
	header := s.nextSendingHeader
	root, chain, next, err := ratchetRoot(s.root, own.secret, peer)
	if err != nil {
		return err
	}
	public := own.public
	s.ratchet, s.ratchetPublic = [32]byte(own.Seed()), &public
	s.root, s.nextSendingHeader = root, next
	s.sending = sendingChain{open: true, header: header, key: chain, previous: s.sending.next}
	return nil
}

// ratchetRoot is KDF_RK_HE: HKDF-SHA-256 with the root key as salt over the agreement, 96 bytes: root key, chain key, next
// header key.
func ratchetRoot(root [32]byte, own secret, peer [32]byte) (newRoot, chain, header [32]byte, err error) {
	shared, err := own.agree(peer)
	if err != nil {
		return newRoot, chain, header, err
	}
	defer clear(shared[:])
	keys, err := hkdf.Key(sha256.New, shared[:], root[:], ratchetContext, 96)
	if err != nil {
		return newRoot, chain, header, err
	}
	defer clear(keys)
	return [32]byte(keys[:32]), [32]byte(keys[32:64]), [32]byte(keys[64:]), nil
}

// advance is KDF_CK: HMAC-SHA-256 under the chain key, of 0x01 for the message key and 0x02 for the next chain key.
func advance(chain [32]byte) (message, next [32]byte) {
	mac := hmac.New(sha256.New, chain[:])
	mac.Write([]byte{1})
	mac.Sum(message[:0])
	mac.Reset()
	mac.Write([]byte{2})
	mac.Sum(next[:0])
	return message, next
}

func (s *sessionState) encrypt(random io.Reader, plaintext []byte) ([]byte, error) {
	if !s.sending.open || s.sending.next == maxNumber {
		return nil, ErrCannotSend
	}
	ratchet, err := s.publicRatchet()
	if err != nil {
		return nil, err
	}
	key, next := advance(s.sending.key)
	defer clear(key[:])
	header := messageHeader{ratchet: ratchet, previous: s.sending.previous, number: s.sending.next}
	sealed, err := s.seal(random, key, header, plaintext)
	if err != nil {
		return nil, err
	}
	s.sending.key = next
	s.sending.next++
	return sealed, nil
}

// publicRatchet computes the public ratchet key once a chain: what stays in one chain needs no curve operation.
func (s *sessionState) publicRatchet() ([32]byte, error) {
	if s.ratchetPublic == nil {
		own, err := X25519PrekeyFromSeed(s.ratchet[:])
		if err != nil {
			return [32]byte{}, err
		}
		defer own.Erase()
		public := own.public
		s.ratchetPublic = &public
	}
	return *s.ratchetPublic, nil
}

// decrypt finds the chain that the message belongs to by the header key that opens its header.
func (s *sessionState) decrypt(random io.Reader, now time.Time, m message) ([]byte, error) {
	for i := range s.receiving {
		header, ok := s.openHeader(s.receiving[i].header, m)
		if !ok {
			continue
		}
		if header.ratchet != s.receiving[i].ratchet {
			return nil, ErrForged
		}
		return s.receive(i, now, header, m)
	}
	header, ok := s.openHeader(s.nextReceivingHeader, m)
	if !ok {
		return nil, ErrForged
	}
	return s.receiveTurn(random, now, header, m)
}

// receive opens a message of a chain that is known.
func (s *sessionState) receive(i int, now time.Time, header messageHeader, m message) ([]byte, error) {
	chain := s.receiving[i]
	if header.number < chain.next {
		return s.receiveKept(i, now, header, m)
	}
	if i > 0 {
		return nil, ErrForged // its sender had said how long the chain is
	}
	key, err := chain.skipTo(header.number, now)
	if err != nil {
		return nil, err
	}
	defer clear(key[:])
	plaintext, err := s.openBody(key, m)
	if err != nil {
		return nil, err
	}
	s.receiving[0] = chain
	s.received(now)
	return plaintext, nil
}

// receiveKept opens a message that was skipped, unless its key has grown old and only was not cleared away yet (R4).
func (s *sessionState) receiveKept(i int, now time.Time, header messageHeader, m message) ([]byte, error) {
	kept := s.receiving[i].kept
	at := slices.IndexFunc(kept, func(k keptKey) bool { return k.number == header.number })
	if at < 0 || kept[at].since < oldestKept(now) {
		return nil, ErrKeyUsed
	}
	plaintext, err := s.openBody(kept[at].key, m)
	if err != nil {
		return nil, err
	}
	s.receiving[i].kept = slices.Delete(kept, at, at+1)
	return plaintext, nil
}

// receiveTurn opens the first message of a new chain: a DH ratchet step. All of it is tried on a copy.
func (s *sessionState) receiveTurn(random io.Reader, now time.Time, header messageHeader, m message) ([]byte, error) {
	next := *s
	next.receiving = slices.Clone(s.receiving)
	if len(next.receiving) > 0 {
		last := next.receiving[0]
		if err := last.end(header.previous, now); err != nil {
			return nil, err
		}
		next.receiving[0] = last
	}
	own, err := X25519PrekeyFromSeed(s.ratchet[:])
	if err != nil {
		return nil, err
	}
	defer own.Erase()
	root, chainKey, nextHeader, err := ratchetRoot(s.root, own.secret, header.ratchet)
	if err != nil {
		return nil, err
	}
	chain := receivingChain{header: s.nextReceivingHeader, ratchet: header.ratchet, key: chainKey}
	key, err := chain.skipTo(header.number, now)
	if err != nil {
		return nil, err
	}
	defer clear(key[:])
	plaintext, err := s.openBody(key, m)
	if err != nil {
		return nil, err
	}
	next.root, next.nextReceivingHeader = root, nextHeader
	if err := next.turn(random, header.ratchet); err != nil {
		return nil, err
	}
	next.receiving = slices.Insert(next.receiving, 0, chain)
	next.received(now)
	*s = next
	return plaintext, nil
}

// received ends what an answer ends, and keeps the bounds.
func (s *sessionState) received(now time.Time) {
	s.preamble = nil
	for i := MaxChains; i < len(s.receiving); i++ {
		clear(s.receiving[i].kept)
	}
	s.receiving = slices.Delete(s.receiving, min(len(s.receiving), MaxChains), len(s.receiving))
	s.expire(now)
	room := MaxKeptKeys
	for i := range s.receiving {
		kept := s.receiving[i].kept
		kept = slices.Delete(kept, 0, max(0, len(kept)-room)) // overwrites what goes
		room -= len(kept)
		s.receiving[i].kept = kept
	}
}

func (s *sessionState) expire(now time.Time) {
	oldest := oldestKept(now)
	for i := range s.receiving {
		s.receiving[i].kept = slices.DeleteFunc(s.receiving[i].kept, func(k keptKey) bool { return k.since < oldest })
	}
}

func oldestKept(now time.Time) int64 { return now.Add(-KeptKeyLifetime).Unix() }

// skipTo gives the key of a message at or after next, and keeps those of the messages before it. The chain is a copy that
// counts once the message has opened: the kept keys are cloned before they grow.
func (c *receivingChain) skipTo(number uint32, now time.Time) (key [32]byte, err error) {
	if err := c.keepUpTo(number, now); err != nil {
		return key, err
	}
	key, c.key = advance(c.key)
	c.next++
	return key, nil
}

// end keeps the keys of what has not come of a chain of this length, and forgets the chain key.
func (c *receivingChain) end(length uint32, now time.Time) error {
	if length < c.next {
		length = c.next // more has come than its sender now admits: nothing to keep
	}
	if err := c.keepUpTo(length, now); err != nil {
		return err
	}
	c.key = [32]byte{}
	return nil
}

func (c *receivingChain) keepUpTo(number uint32, now time.Time) error {
	if number-c.next > MaxSkip || number == maxNumber {
		return ErrTooFarAhead
	}
	if c.next < number {
		c.kept = slices.Clone(c.kept)
	}
	for c.next < number {
		kept := keptKey{number: c.next, since: max(0, now.Unix())}
		kept.key, c.key = advance(c.key)
		c.kept = append(c.kept, kept)
		c.next++
	}
	return nil
}

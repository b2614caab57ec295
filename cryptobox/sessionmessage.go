package cryptobox

import (
	"encoding/binary"
	"io"
	"math"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	headerSize       = 32 + 4 + 4
	sealedHeaderSize = chacha20poly1305.NonceSizeX + headerSize + chacha20poly1305.Overhead
	minMessageSize   = 1 + sealedHeaderSize + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
	// maxNumber is never used, so that counters do not wrap.
	maxNumber = math.MaxUint32
)

// messageHeader is what the ratchet needs to know of a message; it travels encrypted.
type messageHeader struct {
	ratchet          [32]byte
	previous, number uint32 // PN, N
}

// message is a session message in its parts:
//
//	0    1   version 1
//	1    24  nonce of the header
//	25   56  header: ratchet key (32), length of the chain before (u32), number (u32), and its tag
//	81   24  nonce of the content
//	105  …   content and its tag
type message struct{ header, body []byte }

func parseMessage(b []byte) (message, error) {
	if len(b) < 1 {
		return message{}, ErrForged
	}
	if b[0] != sessionVersion {
		return message{}, ErrSessionVersion
	}
	if len(b) < minMessageSize || len(b) > minMessageSize+MaxContentSize {
		return message{}, ErrForged
	}
	return message{b[1 : 1+sealedHeaderSize], b[1+sealedHeaderSize:]}, nil
}

// seal makes a message, behind the preamble while there is one. Both nonces are random (R3); the content's associated data
// are the session's and the encrypted header (R1).
func (s *sessionState) seal(random io.Reader, key [32]byte, header messageHeader, plaintext []byte) ([]byte, error) {
	var nonces [2 * chacha20poly1305.NonceSizeX]byte
	if err := readRandom(random, nonces[:]); err != nil {
		return nil, err
	}
	headers, err := chacha20poly1305.NewX(s.sending.header[:])
	if err != nil {
		return nil, err
	}
	bodies, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(s.preamble)+minMessageSize+len(plaintext))
	b = append(append(b, s.preamble...), sessionVersion)
	start := len(b)
	b = append(b, nonces[:24]...)
	b = headers.Seal(b, nonces[:24], header.append(nil), s.associated[:])
	associated := append(s.associated[:len(s.associated):len(s.associated)], b[start:]...)
	b = append(b, nonces[24:]...)
	return bodies.Seal(b, nonces[24:], plaintext, associated), nil
}

func (h *messageHeader) append(b []byte) []byte {
	b = append(b, h.ratchet[:]...)
	b = binary.BigEndian.AppendUint32(b, h.previous)
	return binary.BigEndian.AppendUint32(b, h.number)
}

// openHeader reports whether a header key opens the header.
func (s *sessionState) openHeader(key [32]byte, m message) (messageHeader, bool) {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return messageHeader{}, false
	}
	var room [headerSize]byte
	b, err := aead.Open(room[:0], m.header[:24], m.header[24:], s.associated[:])
	if err != nil {
		return messageHeader{}, false
	}
	return messageHeader{
		ratchet: [32]byte(b[:32]), previous: binary.BigEndian.Uint32(b[32:36]), number: binary.BigEndian.Uint32(b[36:40]),
	}, true
}

func (s *sessionState) openBody(key [32]byte, m message) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, err
	}
	associated := append(s.associated[:len(s.associated):len(s.associated)], m.header...)
	plaintext, err := aead.Open(nil, m.body[:24], m.body[24:], associated)
	if err != nil {
		return nil, ErrForged
	}
	return plaintext, nil
}

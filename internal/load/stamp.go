package load

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// stamp is what every ciphertext begins with, and what its nonce is: by it a receiver knows that nothing is missing, doubled,
// out of order or meant for somebody else, and how long it took.
type stamp struct {
	sender, receiver uint32
	counter          uint64        // of the envelopes of this sender to this receiver, from 1
	at               time.Duration // since the start of the load
}

// A stamp has no remainder modulo three, so that its text can be patched into that of a ciphertext.
const (
	stampSize = 24
	stampText = 32
)

func (s stamp) write(into []byte) {
	var b [stampSize]byte
	binary.BigEndian.PutUint32(b[:], s.sender)
	binary.BigEndian.PutUint32(b[4:], s.receiver)
	binary.BigEndian.PutUint64(b[8:], s.counter)
	binary.BigEndian.PutUint64(b[16:], uint64(s.at)) //nolint:gosec // not negative
	base64.RawURLEncoding.Encode(into, b[:])
}

func readStamp(from []byte) (stamp, error) {
	var b [stampSize]byte
	if len(from) < stampText {
		return stamp{}, errors.New("the ciphertext is too short")
	}
	if _, err := base64.RawURLEncoding.Decode(b[:], from[:stampText]); err != nil {
		return stamp{}, fmt.Errorf("the ciphertext came back changed: %w", err)
	}
	return stamp{
		sender:   binary.BigEndian.Uint32(b[:]),
		receiver: binary.BigEndian.Uint32(b[4:]),
		counter:  binary.BigEndian.Uint64(b[8:]),
		at:       time.Duration(binary.BigEndian.Uint64(b[16:])), //nolint:gosec // written by write
	}, nil
}

// Content is what all ciphertexts of a load have behind their stamps: random bytes, made once. A ciphertext that comes back
// with anything else was changed.
type Content struct {
	tail  string // as text
	start time.Time
}

// NewContent makes the content for ciphertexts of this many bytes.
func NewContent(size int) (*Content, error) {
	if size < stampSize {
		return nil, fmt.Errorf("a ciphertext must have at least %d bytes", stampSize)
	}
	tail := make([]byte, size-stampSize)
	if _, err := rand.Read(tail); err != nil {
		return nil, err
	}
	return &Content{tail: base64.RawURLEncoding.EncodeToString(tail), start: time.Now()}, nil
}

func (c *Content) now() time.Duration { return time.Since(c.start) }

package socket

import (
	"encoding/binary"
	"io"
	"slices"
	"sync"

	"github.com/gorilla/websocket"
)

const (
	final = 1 << 7 // of a frame that is a whole message, as all of ours are

	// newBufferSize is what a new buffer has room for: most messages, and a few small ones together.
	newBufferSize = 4 << 10
	// keptBufferSize bounds the buffers that wait for their next use.
	keptBufferSize = 128 << 10

	shortHeader, mediumHeader, longHeader = 2, 4, 10
)

// buffer holds bytes of one connection for as long as they are on their way: frames to be written, or a message that was read.
type buffer struct {
	data []byte
	next *buffer
}

// buffers are all sockets' idle buffers.
type buffers struct{ pool sync.Pool }

func (p *buffers) get() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		return b
	}
	return &buffer{data: make([]byte, 0, newBufferSize)}
}

func (p *buffers) put(b *buffer) {
	if cap(b.data) > keptBufferSize {
		return
	}
	b.data, b.next = b.data[:0], nil
	p.pool.Put(b)
}

// readFrom reads a message whole.
func (b *buffer) readFrom(r io.Reader) error {
	for {
		if len(b.data) == cap(b.data) {
			b.data = slices.Grow(b.data, 2*cap(b.data))
		}
		n, err := r.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// open begins a text frame. What is appended until seal is its message.
func (b *buffer) open() int {
	mark := len(b.data)
	b.data = append(b.data, 0, 0, 0, 0)
	return mark
}

// seal ends the frame that open began at mark. Most messages need the header that open has left room for.
func (b *buffer) seal(mark int) {
	start := mark + mediumHeader
	size := len(b.data) - start
	switch {
	case size <= 125:
		copy(b.data[mark+shortHeader:], b.data[start:])
		b.data = b.data[:len(b.data)-mediumHeader+shortHeader]
		b.data[mark+1] = byte(size) //nolint:gosec // as the case says
	case size <= 0xffff:
		b.data[mark+1] = 126
		binary.BigEndian.PutUint16(b.data[mark+2:], uint16(size))
	default:
		b.data = append(b.data, make([]byte, longHeader-mediumHeader)...)
		copy(b.data[mark+longHeader:], b.data[start:start+size])
		b.data[mark+1] = 127
		binary.BigEndian.PutUint64(b.data[mark+2:], uint64(size))
	}
	b.data[mark] = final | websocket.TextMessage
}

// control appends a control frame; its payload is at most 125 bytes.
func (b *buffer) control(kind byte, payload []byte) {
	b.data = append(b.data, final|kind, byte(len(payload))) //nolint:gosec // bounded by the caller
	b.data = append(b.data, payload...)
}

// frameSize gives the size of the frame that data begins with, header and all.
func frameSize(data []byte) int {
	switch size := int(data[1]); size {
	case 126:
		return mediumHeader + int(binary.BigEndian.Uint16(data[2:]))
	case 127:
		return longHeader + int(binary.BigEndian.Uint64(data[2:])) //nolint:gosec // it is the size of a slice
	default:
		return shortHeader + size
	}
}

// restOfFrame gives what is left of the frame in which the position n lies; nothing if a frame begins there.
func restOfFrame(data []byte, n int) []byte {
	at := 0
	for at < n {
		at += frameSize(data[at:])
	}
	return data[n:at]
}

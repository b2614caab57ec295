package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
)

// frames reads and writes the frames of a WebSocket (RFC 6455) on the client's side, in buffers that are used again. A frame
// is looked at where it was read. The mask of what is sent is zero: it costs nothing to apply, and servers take it as any other.
type frames struct {
	conn       net.Conn
	buffer     []byte
	begin, end int    // what was read and not yet looked at
	whole      []byte // a message that came in several frames
}

const (
	opContinuation = 0x0
	opText         = 0x1
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa

	final = 0x80
	mask  = 0x80

	// maxFrame bounds what a server can make us keep.
	maxFrame = 16 << 20
)

// frameHead is what stands before n bytes that are sent as one frame.
func frameHead(op byte, n int) []byte {
	head := []byte{final | op}
	switch {
	case n < 126:
		head = append(head, mask|byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, mask|126), uint16(n)) //nolint:gosec // checked
	default:
		head = binary.BigEndian.AppendUint64(append(head, mask|127), uint64(n)) //nolint:gosec // a length
	}
	return append(head, 0, 0, 0, 0)
}

// next gives the next text message, which is good until the call after. Pings are answered.
func (f *frames) next() ([]byte, error) {
	f.whole = f.whole[:0]
	for {
		head, payload, err := f.frame()
		if err != nil {
			return nil, err
		}
		switch op := head & 0x0f; op {
		case opPing:
			if _, err := f.conn.Write(append(frameHead(opPong, len(payload)), payload...)); err != nil {
				return nil, err
			}
		case opPong:
		case opClose:
			return nil, closed(payload)
		case opText, opContinuation:
			if head&final != 0 && len(f.whole) == 0 {
				return payload, nil
			}
			if f.whole = append(f.whole, payload...); head&final != 0 {
				return f.whole, nil
			}
		default:
			return nil, fmt.Errorf("a frame of kind %d", op)
		}
	}
}

// more reports whether another whole frame has been read already.
func (f *frames) more() bool {
	_, size, known := f.measure()
	return known && f.end-f.begin >= size
}

// frame gives the first byte of the next frame and what is in it.
func (f *frames) frame() (byte, []byte, error) {
	for {
		head, size, known := f.measure()
		if size > maxFrame {
			return 0, nil, errors.New("a frame is too long")
		}
		if known && f.end-f.begin >= size {
			frame := f.buffer[f.begin : f.begin+size]
			f.begin += size
			return frame[0], frame[head:], nil
		}
		if err := f.read(size); err != nil {
			return 0, nil, err
		}
	}
}

// measure gives the length of the next frame's head and of all of it, once enough of it has been read.
func (f *frames) measure() (head, size int, known bool) {
	have := f.buffer[f.begin:f.end]
	if len(have) < 2 {
		return 0, 2, false
	}
	switch n := int(have[1] &^ mask); {
	case n < 126:
		return 2, 2 + n, true
	case n == 126 && len(have) >= 4:
		return 4, 4 + int(binary.BigEndian.Uint16(have[2:])), true
	case n == 127 && len(have) >= 10:
		return 10, 10 + int(min(binary.BigEndian.Uint64(have[2:]), maxFrame)), true //nolint:gosec // bounded
	default:
		return 0, 10, false
	}
}

// read reads what there is, with room for a frame of size bytes.
func (f *frames) read(size int) error {
	if f.begin == f.end {
		f.begin, f.end = 0, 0
	}
	if f.begin+size > len(f.buffer) || f.end == len(f.buffer) {
		buffer := f.buffer
		if size > len(buffer) {
			buffer = make([]byte, 2*size)
		}
		f.end = copy(buffer, f.buffer[f.begin:f.end])
		f.begin, f.buffer = 0, buffer
	}
	n, err := f.conn.Read(f.buffer[f.end:])
	f.end += n
	if n > 0 {
		return nil
	}
	return err
}

func closed(payload []byte) error {
	if len(payload) < 2 {
		return errors.New("the server closed the socket")
	}
	return fmt.Errorf("the server closed the socket: %d %s", binary.BigEndian.Uint16(payload), bytes.ToValidUTF8(payload[2:], nil))
}

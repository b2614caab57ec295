package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// frames reads the frames of a WebSocket (RFC 6455) on the client's side, in a buffer that is used again: a message is looked at where
// it was read. It is an incoming.
type frames struct {
	window
	whole []byte                   // a message that came in several frames
	pong  func(frame []byte) error // answers pings
}

const (
	opContinuation = 0x0
	opText         = 0x1
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa

	final = 0x80
	mask  = 0x80
)

// frameHead is what stands before n bytes that are sent as one frame. Their mask is zero: it costs nothing to apply, and servers take it
// as any other.
func frameHead(op byte, n int) []byte {
	head := []byte{final | op}
	switch {
	case n < 126:
		head = append(head, mask|byte(n)) //nolint:gosec // checked
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, mask|126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, mask|127), uint64(n))
	}
	return append(head, 0, 0, 0, 0)
}

// next gives the next text message that has been read whole. Pings are answered.
func (f *frames) next() (message []byte, ok bool, err error) {
	for {
		head, payload := f.frame()
		if payload == nil {
			return nil, false, nil
		}
		switch op := head & 0x0f; op {
		case opPing:
			if err := f.pong(append(frameHead(opPong, len(payload)), payload...)); err != nil {
				return nil, false, err
			}
		case opPong:
		case opClose:
			return nil, false, closed(payload)
		case opText:
			f.whole = f.whole[:0]
			if head&final != 0 {
				return payload, true, nil
			}
			f.whole = append(f.whole, payload...)
		case opContinuation:
			if f.whole = append(f.whole, payload...); head&final != 0 {
				return f.whole, true, nil
			}
		default:
			return nil, false, fmt.Errorf("a frame of kind %d", op)
		}
	}
}

// frame gives the first byte of the next frame and what is in it; nil, and never for an empty frame, as long as it has not been
// read whole.
func (f *frames) frame() (byte, []byte) {
	head, size, known := f.measure()
	if have := f.unread(); known && len(have) >= size {
		f.begin += size
		return have[0], have[head:size:size]
	}
	f.expect(size)
	return 0, nil
}

// measure gives the length of the next frame's head and of all of it, once enough of it has been read.
func (f *frames) measure() (head, size int, known bool) {
	have := f.unread()
	if len(have) < 2 {
		return 0, 2, false
	}
	switch n := int(have[1] &^ mask); {
	case n < 126:
		return 2, 2 + n, true
	case n == 126 && len(have) >= 4:
		return 4, 4 + int(binary.BigEndian.Uint16(have[2:])), true
	case n == 127 && len(have) >= 10:
		return 10, 10 + int(min(binary.BigEndian.Uint64(have[2:]), longestMessage)), true
	default:
		return 0, 10, false
	}
}

func closed(payload []byte) error {
	if len(payload) < 2 {
		return errors.New("the server closed the socket")
	}
	return fmt.Errorf("the server closed the socket: %d %s", binary.BigEndian.Uint16(payload), bytes.ToValidUTF8(payload[2:], nil))
}

package client_test

import (
	"bytes"
	"crypto/rand"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tap writes down what clients draw at random, and for what.
type tap struct {
	mutex sync.Mutex
	drawn []draw
}

type draw struct {
	what  string // the function that draws
	bytes []byte
}

// publicDraws are the functions whose draws travel in the clear: nonces, and the ids of messages. Every other draw is a secret, however
// short it is.
var publicDraws = map[string]string{
	"cryptobox.Seal":                 "the nonce of a box",
	"cryptobox.(*LinkChannel).Seal":  "the nonce of a link's message",
	"cryptobox.(*sessionState).seal": "the nonces of a session's message",
	"device.newMessageID":            "the id of a message",
}

func (d *tap) Read(p []byte) (int, error) {
	n, err := rand.Reader.Read(p)
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.drawn = append(d.drawn, draw{drawer(), bytes.Clone(p[:n])})
	return n, err
}

// drawer names the function that a draw is for: the first on the stack that does more than to hand randomness on.
func drawer() string {
	var stack [16]uintptr
	frames := runtime.CallersFrames(stack[:runtime.Callers(3, stack[:])])
	for {
		frame, more := frames.Next()
		name := frame.Function[strings.LastIndexByte(frame.Function, '/')+1:]
		switch name {
		case "io.ReadAtLeast", "io.ReadFull", "cryptobox.readRandom":
		default:
			return name
		}
		if !more {
			return name
		}
	}
}

// secrets gives the draws that are keys and seeds, those of 64 bytes as two halves.
func (d *tap) secrets(t *testing.T) (secrets [][]byte) {
	t.Helper()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	unseen, sizes := maps.Clone(publicDraws), map[int]int{}
	for _, draw := range d.drawn {
		if publicDraws[draw.what] != "" {
			delete(unseen, draw.what)
			continue
		}
		sizes[len(draw.bytes)]++
		if len(draw.bytes) == 64 {
			secrets = append(secrets, draw.bytes[:32], draw.bytes[32:])
			continue
		}
		secrets = append(secrets, draw.bytes)
	}
	if len(unseen) > 0 {
		t.Errorf("nobody draws for these any more: %v", slices.Sorted(maps.Keys(unseen)))
	}
	// Curve keys, ML-KEM keys, and the secret of a link code.
	if sizes[32] < 100 || sizes[64] < 100 || sizes[16] < 1 {
		t.Fatalf("so many secrets were drawn by length: %v. Is the tap at the right place?", sizes)
	}
	return secrets
}

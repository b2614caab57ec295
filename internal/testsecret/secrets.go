// Package testsecret looks for secrets in what a process says when it dies: the message of a panic and the stacks of goroutines, where
// arguments are printed as numbers.
package testsecret

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

const (
	// textSize is how much of a secret's spelling is a find.
	textSize = 12
	// wordSize and runSize are the same for numbers: one word of memory, or so many bytes in a row.
	wordSize = 8
	runSize  = 6
)

// Secrets are looked for by their parts. Each should be random, or words that stand nowhere else.
type Secrets struct {
	texts map[[textSize]byte]string
	words map[[wordSize]byte]string
	runs  map[[runSize]byte]string
}

// New makes an empty set.
func New() *Secrets {
	return &Secrets{map[[textSize]byte]string{}, map[[wordSize]byte]string{}, map[[runSize]byte]string{}}
}

// Add names a secret. What is shorter than a part that would be a find cannot be looked for, and panics.
func (s *Secrets) Add(what string, secret []byte) {
	if len(secret) < textSize {
		panic("testsecret: " + what + " is too short to look for")
	}
	for _, spelled := range spellings(secret) {
		for ; len(spelled) >= textSize; spelled = spelled[1:] {
			s.texts[[textSize]byte(spelled)] = what
		}
	}
	for rest := secret; len(rest) >= runSize; rest = rest[1:] {
		s.runs[[runSize]byte(rest)] = what
		if len(rest) >= wordSize {
			s.words[[wordSize]byte(rest)] = what
		}
	}
}

// spellings are those of bytes in a text: as they are, in hexadecimal, and in base64 at each place within its groups of three bytes.
func spellings(secret []byte) [][]byte {
	spelled := [][]byte{secret, hex.AppendEncode(nil, secret), bytes.ToUpper(hex.AppendEncode(nil, secret))}
	for shift := range 3 {
		whole := secret[shift:]
		whole = whole[:len(whole)/3*3]
		spelled = append(spelled, base64.StdEncoding.AppendEncode(nil, whole), base64.URLEncoding.AppendEncode(nil, whole))
	}
	return spelled
}

// In gives what of the secrets a text shows, sorted.
func (s *Secrets) In(text []byte) []string {
	found := map[string]bool{}
	for rest := text; len(rest) >= textSize; rest = rest[1:] {
		if what := s.texts[[textSize]byte(rest)]; what != "" {
			found[what] = true
		}
	}
	for line := range bytes.Lines(text) {
		s.numbers(line, found)
	}
	return slices.Sorted(maps.Keys(found))
}

var number = regexp.MustCompile(`\b(?:0x[0-9a-fA-F]+|[0-9]+)\b`)

// numbers looks at the numbers of a line: each as a word of memory, and bytes in a row, hexadecimal or decimal.
func (s *Secrets) numbers(line []byte, found map[string]bool) {
	var run []byte
	for _, digits := range number.FindAll(line, -1) {
		n, err := strconv.ParseUint(string(digits), 0, 64)
		switch {
		case err != nil:
			continue
		case n > 0xff:
			run = run[:0]
			for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
				if what := s.words[[wordSize]byte(order.AppendUint64(nil, n))]; what != "" {
					found[what] = true
				}
			}
			continue
		}
		if run = append(run, byte(n)); len(run) >= runSize {
			if what := s.runs[[runSize]byte(run[len(run)-runSize:])]; what != "" {
				found[what] = true
			}
		}
	}
}

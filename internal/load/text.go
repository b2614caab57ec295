package load

import (
	"bytes"
	"slices"
)

// text is a request, or an answer, whose changing parts have fixed places and widths: they are patched there, so that a
// message costs some copies of a few bytes and no encoding. The zero value is empty.
type text struct {
	bytes []byte
	spots [][]int // by variable: where it stands
}

// fixed appends what never changes.
func (t *text) fixed(s string) { t.bytes = append(t.bytes, s...) }

// spot appends a place for a variable.
func (t *text) spot(variable, width int) {
	t.note(variable, len(t.bytes))
	t.bytes = append(t.bytes, bytes.Repeat([]byte{'0'}, width)...)
}

func (t *text) note(variable, at int) {
	for len(t.spots) <= variable {
		t.spots = append(t.spots, nil)
	}
	t.spots[variable] = append(t.spots[variable], at)
}

// set patches a variable wherever it stands.
func (t *text) set(variable int, value []byte) {
	if variable >= len(t.spots) {
		return
	}
	for _, at := range t.spots[variable] {
		copy(t.bytes[at:], value)
	}
}

// behind gives the text with something before it.
func (t *text) behind(prefix []byte) text {
	moved := text{bytes: slices.Concat(prefix, t.bytes), spots: make([][]int, len(t.spots))}
	for variable, places := range t.spots {
		for _, at := range places {
			moved.spots[variable] = append(moved.spots[variable], at+len(prefix))
		}
	}
	return moved
}

// learn makes a text of an example in which the variables have these values.
func learn(example []byte, values [][]byte) text {
	t := text{bytes: bytes.Clone(example)}
	for variable, value := range values {
		for from := 0; len(value) > 0; {
			at := bytes.Index(example[from:], value)
			if at < 0 {
				break
			}
			t.note(variable, from+at)
			from += at + len(value)
		}
	}
	return t
}

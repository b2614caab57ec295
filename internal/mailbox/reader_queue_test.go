package mailbox

import (
	"testing"

	"pgregory.net/rapid"
)

// The ring is a plain queue, whatever comes and goes.
func TestHandedOver_IsAQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q handedOver
		var want []Message
		size := 0
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				m := Message{Number: rapid.Int64().Draw(t, "number"), Ciphertext: make([]byte, rapid.IntRange(0, 9).Draw(t, "size"))}
				q.push(&m)
				want = append(want, m)
				size += len(m.Ciphertext)
			},
			"pop": func(t *rapid.T) {
				if len(want) == 0 {
					t.Skip("empty")
				}
				if m := q.pop(); m.Number != want[0].Number {
					t.Fatalf("got %d, want %d", m.Number, want[0].Number)
				}
				size -= len(want[0].Ciphertext)
				want = want[1:]
			},
			"": func(t *rapid.T) {
				if q.count != len(want) || q.bytes != size {
					t.Fatalf("holds %d messages and %d bytes, want %d and %d", q.count, q.bytes, len(want), size)
				}
				if n := len(want); n > 0 && (q.first().Number != want[0].Number || q.last().Number != want[n-1].Number) {
					t.Fatal("the ends are not where they should be")
				}
			},
		})
	})
}

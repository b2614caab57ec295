package socket

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/requestjson"
)

// A message is taken apart as encoding/json would, and what is no JSON is never taken for a message.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"type":"connection_init"}`, `{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`,
		`{"id":"1","type":"subscribe","payload":{"query":"{a}","variables":{"a":[1,{"b":"}\"]"}]}}}`,
		` { "type" : "complete" , "id" : "\u00e4" } `, `{"\u0074ype":"p\u0069ng"}`, `{"type":7}`, `{"type":"ping",}`, `{,}`, `{"type":"ping"}}`,
		`{"type":"ping" "id":"1"}`, `{"type":null,"x":[}`, `[`, `{"payload":{]}`, `{"id":tru}`, `{"type":"pong","payload":null,"payload":1}`, `null`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, ok := parseMessage(text)
		var want map[string]json.RawMessage
		isObject := json.Unmarshal(text, &want) == nil && want != nil
		if !ok {
			if _, isString := requestjson.Unescaped(want["type"]); isObject && isString {
				t.Fatalf("%q is refused", text)
			}
			return
		}
		if _, _, isID := name(m.id); m.id != nil && !isID || valid(m.payload).code != 0 {
			return // who takes them finds out
		}
		if !isObject {
			t.Fatalf("%q is taken for a message", text)
		}
		if !bytes.Equal(m.payload, want["payload"]) || !bytes.Equal(m.id, want["id"]) {
			t.Fatalf("%q: id %q, payload %q", text, m.id, m.payload)
		}
	})
}

// What is left of a frame that was begun can be told from any position.
func TestRestOfFrame(t *testing.T) {
	var b buffer
	ends := []int{0}
	for _, size := range []int{0, 1, 125, 126, 65_535, 65_536, 3} {
		mark := b.open()
		b.data = append(b.data, strings.Repeat("x", size)...)
		b.seal(mark)
		ends = append(ends, len(b.data))
	}
	for n := range b.data {
		want := ends[len(ends)-1]
		for i := len(ends) - 1; i >= 0 && ends[i] >= n; i-- {
			want = ends[i]
		}
		if got := len(restOfFrame(b.data, n)); got != want-n {
			t.Fatalf("at %d: %d bytes are left, want %d", n, got, want-n)
		}
	}
}

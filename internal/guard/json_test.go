package guard

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestScattered(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"nothing":         {``, false},
		"few":             {`{"a":[1,2,3]}`, false},
		"lists":           {`[` + strings.Repeat(`[],`, maxValues/2) + `[]]`, true},
		"objects":         {`[` + strings.Repeat(`{"":1},`, maxValues/2) + `1]`, true},
		"numbers":         {`[` + strings.Repeat(`1,`, maxValues) + `1]`, true},
		"in a string":     {`"` + strings.Repeat(`[,{`, maxValues) + `"`, false},
		"behind a quote":  {`"` + strings.Repeat(`\",`, maxValues+1) + `"`, false},
		"behind a string": {`["\\",` + strings.Repeat(`1,`, maxValues) + `1]`, true},
		"string open":     {`"` + strings.Repeat(`\`, maxValues+1), false},
	} {
		if got := Scattered([]byte(c.text)); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What passes decodes to no more values than are allowed.
func FuzzScatteredCountsWhatTheDecoderMakes(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2,{"b":null}]}`, `"\"[,"`, `["\\",1]`, `[[[]],{},""]`} {
		f.Add(seed)
	}
	const longestBody = 1 << 20 // a quarter of what servers take: an input is to be tried in a moment
	f.Fuzz(func(t *testing.T, part string) {
		text := "[" + strings.Repeat(part+",", min(maxValues/10, longestBody/(len(part)+1))) + "1]"
		var v any
		if Scattered([]byte(text)) || json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		if n := valuesIn(v); n > 2*maxValues+2 { // an element follows a comma, or the one bracket that opens before it
			t.Fatalf("%q again and again makes %d values", part, n)
		}
	})
}

func valuesIn(v any) int {
	n := 1
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			n += valuesIn(element)
		}
	case map[string]any:
		for _, element := range v {
			n += valuesIn(element)
		}
	}
	return n
}

func BenchmarkScattered(b *testing.B) {
	text := []byte(`{"query":"mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageId } }","variables":{"input":{"ciphertext":"` +
		strings.Repeat("x", 1000) + `"}}}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Scattered(text)
	}
}

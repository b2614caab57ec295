package socket

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
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
			if _, isString := unescaped(want["type"]); isObject && isString {
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

// Variables are what encoding/json makes of them, and what it refuses is refused.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{
		`null`, `true`, `-1.5e+3`, `01`, `"a\n\ud83d\ude00"`, "\"\xff\"", `"\ud800"`, `[]`, `[1,[2,{}],"x"]`, `{"a":{"a":1,"a":2},"\u0061":null}`, `[1,]`, `{"a" 1}`,
		`[1 2]`, `{"a":1]`, `nul`, `- 1`, `"`, ` [ ] `, `[[`, `"` + "\x01" + `"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := decoder{scanner{text: text}}
		got, ok := d.any(1)
		ok = ok && d.over()
		var want any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		valid := decoder.Decode(&want) == nil
		if _, err := decoder.Token(); valid && err != io.EOF {
			valid = false
		}
		if ok != valid {
			t.Fatalf("%q: taken %v, JSON %v", text, ok, valid)
		}
		if ok && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %#v, want %#v", text, got, want)
		}
	})
}

func TestRequest(t *testing.T) {
	for payload, ok := range map[string]bool{
		`{"query":"{a}"}`: true,
		` {"query":"{a}","operationName":null,"variables":null,"extensions":null,"other":[{"x":null}]} `: true,
		`{"qu\u0065ry":"\u007ba}","operationName":"b","variables":{},"extensions":{}}`:                   true,
		`{}`: false, `{"query":null}`: false, `{"query":7}`: false, `{"query":"{a}","operationName":7}`: false, `{"query":"{a}","variables":[]}`: false,
		`{"query":"{a}","variables":"x"}`: false, `{"query":"{a}","extensions":1}`: false, `null`: false, `[]`: false, `"x"`: false, `{"query":"{a}"}x`: false,
		`{"query":"{a}","variables":{"a":` + strings.Repeat("[", maxNesting+1) + strings.Repeat("]", maxNesting+1) + `}}`: false,
	} {
		params, got := request([]byte(payload))
		if got != ok || ok && params.Query != "{a}" {
			t.Errorf("%.80s: taken %v, %+v", payload, got, params)
		}
	}
	params, _ := request([]byte(`{"query":"q","operationName":"o","variables":{"a":[1,"b",true]},"extensions":{"c":{}}}`))
	variables := map[string]any{"a": []any{json.Number("1"), "b", true}}
	if params.OperationName != "o" || !reflect.DeepEqual(params.Variables, variables) || !reflect.DeepEqual(params.Extensions, map[string]any{"c": map[string]any{}}) {
		t.Errorf("%+v", params)
	}
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

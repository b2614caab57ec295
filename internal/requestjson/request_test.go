package requestjson

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

// Variables are what encoding/json makes of them, and what it refuses is refused.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{
		`null`, `true`, `-1.5e+3`, `01`, `"a\n\ud83d\ude00"`, "\"\xff\"", `"\ud800"`, `[]`, `[1,[2,{}],"x"]`, `{"a":{"a":1,"a":2},"\u0061":null}`, `[1,]`, `{"a" 1}`,
		`[1 2]`, `{"a":1]`, `nul`, `- 1`, `"`, ` [ ] `, `[[`, `"` + "\x01" + `"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := decoder{Scan(text)}
		got, ok := d.any(1)
		ok = ok && d.Over()
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
		`{"query":"{a}","variables":"x"}`: false, `{"query":"{a}","extensions":1}`: false, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":""}}}`: false, `{"extensions":{"persistedQuery":7}}`: false, `null`: false, `[]`: false, `"x"`: false, `{"query":"{a}"}x`: false,
		`{"query":"{a}","variables":{"a":` + strings.Repeat("[", maxNesting+1) + strings.Repeat("]", maxNesting+1) + `}}`: false,
	} {
		var params graphql.RawParams
		got := Request([]byte(payload), &params)
		if got != ok || ok && params.Query != "{a}" {
			t.Errorf("%.80s: taken %v, %+v", payload, got, params)
		}
	}
	var params graphql.RawParams
	if !Request([]byte(`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`), &params) || params.Query != "" {
		t.Errorf("by id: %+v", params)
	}
	Request([]byte(`{"query":"q","operationName":"o","variables":{"a":[1,"b",true]},"extensions":{"c":{}}}`), &params)
	variables := map[string]any{"a": []any{json.Number("1"), "b", true}}
	if params.OperationName != "o" || !reflect.DeepEqual(params.Variables, variables) || !reflect.DeepEqual(params.Extensions, map[string]any{"c": map[string]any{}}) {
		t.Errorf("%+v", params)
	}
}

// What a send takes to be decoded: by hand, and as gqlgen's transports do it.
func BenchmarkRequest(b *testing.B) {
	payload := []byte(`{"query":"mutation Send($input: SendMessageInput!) { sendMessage(input: $input) { messageId acceptedAt deliveries { status } } }","operationName":"Send","variables":{"input":` +
		`{"messageId":"0190a3c2-7b1e-7c4e-9d0a-000000000000","recipients":[{"userId":"uabcdefghijklmnopqrstuvwxyz234567","listVersion":1,"envelopes":[` +
		`{"deviceId":"dabcdefghijklmnopqrstuvwxyz234567","kind":"SESSION","ciphertext":"` + strings.Repeat("x", 342) + `"}]}]}}}`)
	b.Run("requestjson", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var params graphql.RawParams
			if !Request(payload, &params) {
				b.Fatal("it was refused")
			}
		}
	})
	b.Run("encoding", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var params graphql.RawParams
			decoder := json.NewDecoder(bytes.NewReader(payload))
			decoder.UseNumber()
			if err := decoder.Decode(&params); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package wire

import (
	"encoding/json"
	"errors"
	"testing"
)

func FuzzBytes(f *testing.F) {
	for _, seed := range []string{`""`, `"AA"`, `"AA=="`, `"A"`, `"AB"`, `"-_"`, `"+/"`, `"A A"`, `"AA\n"`, `null`, `7`, `"\u0041A"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var b Bytes
		if err := json.Unmarshal(raw, &b); err != nil {
			return
		}
		again, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		var text, same *string
		if json.Unmarshal(raw, &text) != nil || json.Unmarshal(again, &same) != nil || (text == nil) != (same == nil) || text != nil && *text != *same {
			t.Fatalf("%s reads as %s", raw, again)
		}
	})
}

func TestBytesRefusesOtherSpellings(t *testing.T) {
	for _, raw := range []string{`"AA=="`, `"A"`, `"AB"`, `"+/+/"`, `"A A"`, `"AA\n"`, `7`, `{}`} {
		if err := new(Bytes).UnmarshalJSON([]byte(raw)); !errors.Is(err, ErrBytes) {
			t.Errorf("%s: error %v, want ErrBytes", raw, err)
		}
	}
}

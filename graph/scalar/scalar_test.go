package scalar_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/graph/scalar"
	"github.com/letterlock/letterlock/internal/problem"
)

func written(m graphql.Marshaler) string {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.String()
}

func TestBytesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		var text string
		if err := json.Unmarshal([]byte(written(scalar.MarshalBytes(b))), &text); err != nil {
			t.Fatal(err)
		}
		back, err := scalar.UnmarshalBytes(text)
		if err != nil || !bytes.Equal(back, b) {
			t.Fatalf("%x became %x, %v", b, back, err)
		}
	})
}

// N1: bytes have one spelling; whatever is accepted is written back as it came.
func FuzzBytesHaveOneSpelling(f *testing.F) {
	for _, seed := range []string{"", "AQID", "AQI=", "AQI", "AQJ", "-_8", "+/8", "AQ\nID", " AQID", "A"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := scalar.UnmarshalBytes(text)
		if err != nil {
			if problem.CodeOf(err) != problem.BadInput {
				t.Fatalf("refused by %v", err)
			}
			return
		}
		if got := base64.RawURLEncoding.EncodeToString(b); got != text {
			t.Fatalf("%q was taken for %q", text, got)
		}
	})
}

func TestRefusals(t *testing.T) {
	cases := map[string]error{}
	keep := func(name string, err error) { cases[name] = err }
	_, err := scalar.UnmarshalBytes(7)
	keep("bytes that are a number", err)
	_, err = scalar.UnmarshalID(json.Number("7"))
	keep("an id that is a number", err)
	_, err = scalar.UnmarshalID(strings.Repeat("x", 65))
	keep("a long id", err)
	_, err = scalar.UnmarshalCursor(nil)
	keep("a cursor that is null", err)
	_, err = scalar.UnmarshalInt(json.Number("2147483648"))
	keep("an Int of 33 bits", err)
	_, err = scalar.UnmarshalInt("7")
	keep("an Int that is a string", err)
	_, err = scalar.UnmarshalInt(json.Number("1.5"))
	keep("an Int with a fraction", err)
	_, err = scalar.UnmarshalCounter(json.Number("-1"))
	keep("a negative Counter", err)
	_, err = scalar.UnmarshalCounter(json.Number("9007199254740992"))
	keep("a Counter of 2^53", err)
	_, err = scalar.UnmarshalTime("2026-01-02T03:04:05Z")
	keep("a Time without microseconds", err)
	for name, err := range cases {
		if problem.CodeOf(err) != problem.BadInput {
			t.Errorf("%s: %v, want BAD_INPUT", name, err)
		}
	}
}

func TestTimeAndCounter(t *testing.T) {
	at := time.Date(2026, 1, 2, 4, 4, 5, 6_789, time.FixedZone("", 3600))
	const want = `"2026-01-02T03:04:05.000006Z"`
	if got := written(scalar.MarshalTime(at)); got != want {
		t.Errorf("time %s, want %s", got, want)
	}
	if back, err := scalar.UnmarshalTime(strings.Trim(want, `"`)); err != nil || !back.Equal(at.Truncate(time.Microsecond)) {
		t.Errorf("time %v, %v", back, err)
	}
	if n, err := scalar.UnmarshalCounter(json.Number("9007199254740991")); err != nil || written(scalar.MarshalCounter(n)) != "9007199254740991" {
		t.Errorf("counter %d, %v", n, err)
	}
}

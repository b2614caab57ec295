package device

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestMessageIDIsUUIDv7(t *testing.T) {
	now := time.Date(2026, 5, 6, 7, 8, 9, 123_456_789, time.UTC)
	id := must(newMessageID(now, bytes.NewReader(bytes.Repeat([]byte{0xff}, 10))))
	parsed, err := uuid.Parse(id.String())
	if err != nil || parsed.Version() != 7 || parsed.Variant() != uuid.RFC4122 {
		t.Fatalf("%s: version %d, variant %v, %v", id, parsed.Version(), parsed.Variant(), err)
	}
	if !id.Time().Equal(now.Truncate(time.Millisecond)) {
		t.Fatalf("time %v, want %v", id.Time(), now)
	}
	if _, err := newMessageID(now, bytes.NewReader(nil)); err == nil {
		t.Fatal("an id was made without randomness")
	}
}

func FuzzParseMessageID(f *testing.F) {
	for _, seed := range []string{
		"01a20a8b-324a-7759-a8ab-dcf2a0899cad", "01A20A8B-324A-7759-A8AB-DCF2A0899CAD", "01a20a8b324a7759a8abdcf2a0899cad",
		"01a20a8b-324a-4759-a8ab-dcf2a0899cad", "01a20a8b-324a-7759-28ab-dcf2a0899cad", "{1a20a8b-324a-7759-a8ab-dcf2a0899ca}", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseMessageID(text)
		if err != nil {
			return
		}
		if id.String() != text {
			t.Fatalf("%q parses as %s", text, id)
		}
		if parsed, err := uuid.Parse(text); err != nil || parsed.Version() != 7 {
			t.Fatalf("%q is no UUIDv7: %v", text, err)
		}
	})
}

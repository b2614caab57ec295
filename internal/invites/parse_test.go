package invites

import (
	"bytes"
	"strings"
	"testing"
)

// A code is taken as people type it, is as long as those that were issued, and is the same in its own spelling.
func FuzzParse(f *testing.F) {
	good := prefix + strings.ToLower(encoding.EncodeToString([]byte("sixteen bytes ..")))
	for _, seed := range []string{
		good, strings.ToUpper(good), " \t" + good + "\r\n", good[:10] + "\n" + good[10:], good + "=", good[:len(good)-1], good + "a", good[1:],
		"", prefix, "i=", "İ" + good[1:], "i" + strings.Repeat("a", 63), good[:len(good)-1] + "7", "i" + strings.Repeat("ſ", 26),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, code string) {
		secret, ok := parse(code)
		if !ok {
			return
		}
		if len(secret) != codeSize || len(code) > 64 {
			t.Fatalf("%q is taken for the %d bytes %x", code, len(secret), secret)
		}
		for _, spelling := range []string{
			prefix + strings.ToLower(encoding.EncodeToString(secret)), strings.ToUpper(prefix + encoding.EncodeToString(secret)),
		} {
			if again, ok := parse(spelling); !ok || !bytes.Equal(again, secret) {
				t.Fatalf("%q is %x, but as %q it is %x", code, secret, spelling, again)
			}
		}
	})
}

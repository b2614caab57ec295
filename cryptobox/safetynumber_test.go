package cryptobox_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

type safetyVector struct {
	vector
	Kind                string
	Own, Peer           hexBytes
	Digits, Code, Shown string
}

func (v safetyVector) number() cryptobox.SafetyNumber {
	return cryptobox.NewSafetyNumber(identity.SigningPublicKey(v.Own), identity.SigningPublicKey(v.Peer))
}

func TestSafetyVectors(t *testing.T) {
	eachVector(t, "safety.json", func(t *testing.T, v safetyVector) {
		number := v.number()
		switch v.Kind {
		case "number":
			if number.Digits() != v.Digits || number.Code() != v.Code {
				t.Errorf("made %s and %s", number.Digits(), number.Code())
			}
		case "compare":
			v.wantClass(t, number.Compare(v.Shown))
		default:
			t.Fatalf("unknown kind %q", v.Kind)
		}
	})
}

// Both sides read the same digits, and each takes what the other shows.
func TestSafetyNumberIsTheSameOnBothSides_F2(t *testing.T) {
	for _, v := range loadVectors[safetyVector](t, "safety.json") {
		if v.Kind != "number" {
			continue
		}
		mine := v.number()
		theirs := safetyVector{Own: v.Peer, Peer: v.Own}.number()
		if mine.String() != theirs.String() {
			t.Fatalf("%s: %s and %s", v.Name, mine, theirs)
		}
		if !regexp.MustCompile(`^(\d{5} ){11}\d{5}$`).MatchString(mine.String()) {
			t.Fatalf("%s: %q is not twelve groups of five digits", v.Name, mine)
		}
		for _, shown := range []string{theirs.Code(), theirs.String(), theirs.Digits()} {
			if err := mine.Compare(shown); err != nil {
				t.Errorf("%s: %q: %v", v.Name, shown, err)
			}
		}
	}
}

// Whatever is scanned, a code is accepted only if it is the one code that the other side shows.
func FuzzSafetyNumber(f *testing.F) {
	v := safetyVector{Own: make(hexBytes, 32), Peer: append(make(hexBytes, 31), 9)}
	number := v.number()
	theirs := safetyVector{Own: v.Peer, Peer: v.Own}.number()
	for _, seed := range []string{
		"", theirs.Code(), theirs.String(), theirs.Digits(), number.Code(), theirs.Code() + "=", "letterlock-safety:", "letterlock-safety:Ag",
		strings.Repeat("0", 60), strings.Repeat(" ", 2000),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, shown string) {
		if number.Compare(shown) != nil {
			return
		}
		bare := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(shown)
		if bare != theirs.Code() && bare != theirs.Digits() {
			t.Fatalf("%q is accepted", shown)
		}
	})
}

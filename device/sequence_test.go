package device

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// What has come and what is missing are all counters up to the highest, whatever comes in whatever order.
func TestSequenceCoversEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s sequence
		came := map[uint64]bool{}
		for _, counter := range rapid.SliceOfN(rapid.Uint64Range(1, 60), 0, 80).Draw(t, "counters") {
			highest := s.Highest
			missing, mark := s.observe(counter, true)
			switch {
			case came[counter]:
				if mark != RepeatedCounter {
					t.Fatalf("%d again gives mark %q", counter, mark)
				}
			case counter < highest:
				if mark != Late {
					t.Fatalf("%d after %d gives mark %q", counter, highest, mark)
				}
			default:
				if mark != "" || missing != counter-highest-1 {
					t.Fatalf("%d after %d gives mark %q and %d missing", counter, highest, mark, missing)
				}
			}
			came[counter] = true
		}
		gone := map[uint64]bool{}
		for _, gap := range s.Missing {
			for n := gap.From; n <= gap.To; n++ {
				gone[n] = true
			}
		}
		for n := uint64(1); n <= s.Highest; n++ {
			if came[n] == gone[n] {
				t.Fatalf("%d: came %v, missing %v", n, came[n], gone[n])
			}
		}
	})
}

// A sender who counts wildly costs bounded memory and no overflow.
func TestSequenceIsBounded(t *testing.T) {
	var s sequence
	for n := uint64(2); n < 4*maxSpans; n += 2 {
		s.observe(n, true)
	}
	missing, _ := s.observe(math.MaxUint64, true)
	if len(s.Missing) > maxSpans || missing == 0 {
		t.Fatalf("%d spans, %d missing", len(s.Missing), missing)
	}
	if _, mark := s.observe(math.MaxUint64, true); mark != RepeatedCounter {
		t.Fatalf("mark %q", mark)
	}
	if _, mark := s.observe(math.MaxUint64-5, true); mark != Late || len(s.Missing) > maxSpans {
		t.Fatalf("mark %q, %d spans", mark, len(s.Missing))
	}
}

func TestLateJoinerMissesNothingBefore(t *testing.T) {
	var s sequence
	if missing, _ := s.observe(41, false); missing != 0 {
		t.Fatalf("%d missing before a device was there", missing)
	}
	if missing, _ := s.observe(43, false); missing != 1 {
		t.Fatalf("%d missing, want 1", missing)
	}
	if missing, mark := s.observe(40, false); missing != 0 || mark != Late {
		t.Fatalf("%d missing, mark %q; want none, %s: the server has held it back", missing, mark, Late)
	}
}

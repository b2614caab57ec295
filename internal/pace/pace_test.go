package pace_test

import (
	"slices"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/pace"
)

const crowd = 2000

// Of a crowd that begins at the same moment as many try again in one part of the time as in any other.
func TestACrowdIsSpreadEvenly(t *testing.T) {
	const longest = 8 * time.Second
	paces := make([]*pace.Pace, crowd)
	for i := range paces {
		paces[i] = pace.New(time.Second, longest)
	}
	for _, most := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, longest, longest} {
		var quarters [4]int
		for _, p := range paces {
			wait := p.Next(0)
			if wait < 0 || wait > most {
				t.Fatalf("a wait of %v, want up to %v", wait, most)
			}
			quarters[min(3, int(4*wait/most))]++
		}
		if least := slices.Min(quarters[:]); least < crowd/8 {
			t.Errorf("waits up to %v: %d in the quarters", most, quarters)
		}
	}
	for _, p := range paces {
		p.Reset()
		if wait := p.Next(0); wait > time.Second {
			t.Fatalf("the first wait after a reset is %v", wait)
		}
	}
}

// Those whom a server sends away together get what it asked for, and do not come together again.
func TestAWaitThatIsAskedForIsKept(t *testing.T) {
	const asked = 10 * time.Second
	var waits []time.Duration
	for range crowd {
		waits = append(waits, pace.New(100*time.Millisecond, 15*time.Second).Next(asked))
	}
	slices.Sort(waits)
	if first, last := waits[0], waits[crowd-1]; first < asked || last > 3*asked/2 || last-first < asked/4 {
		t.Errorf("waits from %v to %v", first, last)
	}
}

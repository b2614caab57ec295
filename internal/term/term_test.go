package term_test

import (
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/term"
)

// A connection ends in the very second in which its token would be refused, wherever the clock jumps.
func TestTermIsThatOfTheToken_S6_4(t *testing.T) {
	expires := time.Unix(1_800_000_000, 0)
	var forever, limited term.Term
	limited.Set(expires)
	for offset, over := range map[time.Duration]bool{
		-10*time.Minute - time.Nanosecond: true, -10 * time.Minute: false, -time.Minute: false, -time.Nanosecond: false,
		0: true, time.Second: true, 24 * time.Hour: true, -24 * time.Hour: true,
	} {
		now := expires.Add(offset)
		if limited.Over(now) != over {
			t.Errorf("%v from its end: over is %v", offset, !over)
		}
		if forever.Over(now) {
			t.Errorf("without a token it is over at %v", now)
		}
	}
	limited.Set(expires.Add(time.Minute))
	if limited.Over(expires) {
		t.Error("a new token has not put the end off")
	}
}

package mailbox

import (
	"fmt"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/problem"
)

// A store that takes no writes is told of, however long nothing more is tried, and no longer once it has taken one.
func TestWritePath_AStoreThatTakesNoWritesIsToldOf(t *testing.T) {
	broken(t, func(t *testing.T, w *world, f *faulty) {
		alice, bob := w.user(1), w.user(1)
		w.fill(alice, bob, 1)
		f.change(func() { f.beforeCommit = func(*changes) error { return fmt.Errorf("%w: disk full", errTransient) } })
		for w.ctx.Err() == nil && !w.Failing() {
			_, err := w.Send(w.ctx, w.letter(alice, "x", bob))
			refused(t, err, problem.StoreUnavailable)
		}
		f.change(func() { f.beforeCommit = nil })
		w.fill(alice, bob, 1)
		if w.Failing() {
			t.Error("the store has taken a message, and is still said to fail")
		}
	})
}

func TestHealthOfWrites(t *testing.T) {
	start := time.Now()
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	for _, c := range []struct {
		name  string
		after func(*health)
		at    float64
		want  bool
	}{
		{"nothing was tried", func(*health) {}, 0, false},
		{"it has just begun", func(h *health) { h.fails(at(0)); h.fails(at(0.9)) }, 1, false},
		{"it lasts", func(h *health) { h.fails(at(0)); h.fails(at(1)) }, 5, true},
		{"nobody has tried for long", func(h *health) { h.fails(at(0)); h.fails(at(1)) }, 12, false},
		{"nobody had tried for long before", func(h *health) { h.fails(at(0)); h.fails(at(60)) }, 60, false},
		{"it works again", func(h *health) { h.fails(at(0)); h.fails(at(1)); h.works() }, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h health
			if c.after(&h); h.failing(at(c.at)) != c.want {
				t.Errorf("failing: %v", !c.want)
			}
		})
	}
}

package graphqlhttp

import (
	"net/http/httptest"
	"testing"
	"time"
)

// lent is a writer that must not be used after the handler has returned, as that of HTTP/2, which then panics.
type lent struct {
	*httptest.ResponseRecorder
	t        *testing.T
	returned bool
	cut      bool
}

func (l *lent) SetWriteDeadline(deadline time.Time) error {
	if l.returned {
		l.t.Error("a deadline is set for a writer that is gone")
	}
	l.cut = deadline.Equal(time.Unix(1, 0))
	return nil
}

// A server that stops cuts streams off, also one that ends at this very moment.
func TestStreamsAreCutWhileTheyLast(t *testing.T) {
	for name, over := range map[string]bool{"it lasts": false, "it has ended": true} {
		w := &lent{ResponseRecorder: httptest.NewRecorder(), t: t}
		out := newEventWriter(w, time.Minute, func() bool { return false }, func() {})
		if over {
			out.close()
			w.returned = true
		}
		out.cut()
		if w.cut == over {
			t.Errorf("%s: it is cut off: %v", name, w.cut)
		}
		if n, err := out.Write([]byte("late")); n != 4 || err != nil || w.Body.Len() > 0 {
			t.Errorf("%s: something is written after it: %d, %v", name, n, err)
		}
	}
}

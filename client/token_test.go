package client_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letterlock/letterlock/client"
)

// wrongBy is a clock that is wrong, and may be put right.
type wrongBy struct{ off atomic.Int64 }

func (w *wrongBy) set(off time.Duration)     { w.off.Store(int64(off)) }
func (w *wrongBy) now() time.Time            { return time.Now().Add(time.Duration(w.off.Load())) }
func (w *wrongBy) options(o *client.Options) { o.Now = w.now }

// A clock that is put right while a token is on its way costs a new token and nothing else: neither a call nor a Listen fails, though
// the clock is right when the refusal comes.
func TestClockIsPutRightWhileATokenIsUnderWay_S6_7(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": 2 * time.Hour, "behind": -2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			middle := newMiddle(t)
			clock := new(wrongBy)
			alice, bob := person(t, middle.URL), person(t, middle.URL, clock.options)
			send(t, alice, bob.UserID(), "one")
			middle.on(func(operation string, _ http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
				if operation == "Mailbox" || operation == "socket" {
					clock.set(0)
				}
				return false
			})
			clock.set(off)
			equal(t, inbox(t, bob), []string{"one"})
			clock.set(off)
			listener := listen(t, bob)
			send(t, alice, bob.UserID(), "two")
			listener.text("two")
			listener.stop()
		})
	}
}

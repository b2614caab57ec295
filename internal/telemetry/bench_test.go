package telemetry

import (
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// BenchmarkMessage is what counting costs for one message, in batches of thirty, as they are under load: the wait in the
// queue, the transaction's part, the wake-up, and a live delivery.
func BenchmarkMessage(b *testing.B) {
	const batch = 30
	m := New(Options{})
	hub := CountWakeups(m, wakeup.NewLocal[struct{}]())
	var observer mailbox.Observer = m.Mailboxes
	hint := wakeup.Hint[struct{}]{Device: identity.DeviceID{1}}
	defer hub.Listen(hint.Device, func(wakeup.Hint[struct{}]) {})()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n++; n%batch == 0 {
			observer.Taken(batch)
			observer.Attempted(mailbox.Attempt{
				Works: batch, Envelopes: batch, Accepted: batch, Took: 3 * time.Millisecond, Outcome: mailbox.OutcomeCommitted,
			})
		}
		observer.Waited(2 * time.Millisecond)
		hub.Notify(hint)
		observer.Delivered(4*time.Millisecond, true)
	}
}

// BenchmarkRequest is what counting costs for one HTTP request.
func BenchmarkRequest(b *testing.B) {
	m := New(Options{Codes: []string{"OVERLOADED"}})
	b.ReportAllocs()
	for b.Loop() {
		m.Requests.Answered("/graphql", 200)
		m.Requests.Took("/graphql", 3*time.Millisecond)
		m.Operations.count.WithLabelValues("mutation", codeOK).Inc()
		m.Operations.mutation.Observe(0.003)
		m.Directory.TokenLookedUp(true)
	}
}

package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/wakeup"
)

type wakeups struct{ in, out prometheus.Counter }

func newWakeups(add factory) *wakeups {
	hints := add.counters("wakeups_total", "Wake-ups that this node gave out, and that came in for its subscriptions, its own among them.", "direction")
	return &wakeups{in: hints.WithLabelValues("in"), out: hints.WithLabelValues("out")}
}

// hub counts what passes through another one.
type hub[M any] struct {
	wakeup.Hub[M]
	wakeups *wakeups
}

// CountWakeups gives a hub that passes everything on to another one and counts it.
func CountWakeups[M any](m *Metrics, counted wakeup.Hub[M]) wakeup.Hub[M] {
	return &hub[M]{counted, m.wakeups}
}

// Notify counts and passes on.
func (h *hub[M]) Notify(hints ...wakeup.Hint[M]) {
	h.wakeups.out.Add(float64(len(hints)))
	h.Hub.Notify(hints...)
}

// Listen counts what reaches the listener.
func (h *hub[M]) Listen(device identity.DeviceID, listener func(wakeup.Hint[M])) (stop func()) {
	return h.Hub.Listen(device, func(hint wakeup.Hint[M]) {
		h.wakeups.in.Inc()
		listener(hint)
	})
}

package mailbox

import (
	"sync"
	"time"
)

const (
	// leastFailing is how long nothing could be committed before it is told of: what passes by sooner is nobody's concern.
	leastFailing = time.Second
	// failingFor is how long it is told of after the last try. Where no work comes, nobody finds out that the store is well again.
	failingFor = 10 * time.Second
)

// Failing tells whether the store takes no writes: all that were tried have failed for some time, and the last one not long ago. Reading
// may go on all the same.
func (s *Service) Failing() bool { return s.health.failing(time.Now()) }

// health is how the writer's transactions went last.
type health struct {
	mu sync.Mutex
	// since is the first failure after the last success, last the last one; zero if there is none. Both are by the process's own stopwatch.
	since, last time.Time
}

func (h *health) works() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since, h.last = time.Time{}, time.Time{}
}

func (h *health) fails(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since.IsZero() || now.Sub(h.last) > failingFor {
		h.since = now
	}
	h.last = now
}

func (h *health) failing(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last.Sub(h.since) >= leastFailing && now.Sub(h.last) < failingFor
}

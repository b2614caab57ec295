package socket

import (
	"container/heap"
	"sync"
	"time"
)

// sweepsPerInterval is how often the sweeper looks around in one interval: pings come in that many groups.
const sweepsPerInterval = 64

// sweeper looks at each socket when its time has come. One goroutine does so for all, while there are any.
type sweeper struct {
	every time.Duration

	mu      sync.Mutex
	waiting schedule
	empty   chan struct{} // ends the goroutine; nil if there is none
}

func (s *sweeper) add(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	heap.Push(&s.waiting, c)
	if s.empty == nil {
		s.empty = make(chan struct{})
		go s.run(s.empty)
	}
}

func (s *sweeper) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.place >= 0 {
		heap.Remove(&s.waiting, c.place)
	}
	if len(s.waiting) == 0 && s.empty != nil {
		close(s.empty)
		s.empty, s.waiting = nil, nil // the room for many is not kept
	}
}

func (s *sweeper) run(empty <-chan struct{}) {
	tick := time.NewTicker(max(s.every, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-empty:
			return
		case now := <-tick.C:
			s.sweep(now)
		}
	}
}

// sweep looks at those whose time has come.
func (s *sweeper) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) > 0 && !s.waiting[0].lookAt.After(now) {
		c := s.waiting[0]
		c.lookAt = c.look(now)
		heap.Fix(&s.waiting, 0)
	}
}

// schedule is a heap of sockets by when to look at them.
type schedule []*conn

// Len is for the heap, as all below.
func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].lookAt.Before(s[j].lookAt) }

// Swap swaps two sockets.
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

// Push adds a socket at the end.
func (s *schedule) Push(c any) {
	added := c.(*conn) //nolint:forcetypeassert,errcheck // nothing else is ever pushed
	added.place = len(*s)
	*s = append(*s, added)
}

// Pop takes the last one.
func (s *schedule) Pop() any {
	old := *s
	last := old[len(old)-1]
	old[len(old)-1] = nil
	last.place = -1
	*s = old[:len(old)-1]
	return last
}

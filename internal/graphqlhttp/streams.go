package graphqlhttp

import "sync"

// Streams are the event streams that are open.
type Streams struct {
	mu      sync.Mutex
	open    map[*func()]struct{} // what cuts each off
	stopped bool
}

// NewStreams makes Streams of which none is open.
func NewStreams() *Streams { return &Streams{open: map[*func()]struct{}{}} }

// add keeps a stream until the function that it gives is called. What comes too late is cut off at once.
func (s *Streams) add(cut func()) (remove func()) {
	s.mu.Lock()
	stopped := s.stopped
	s.open[&cut] = struct{}{}
	s.mu.Unlock()
	if stopped {
		cut()
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, &cut)
	}
}

// Cut cuts all off, so that clients connect again, and those that come after it: an orderly end would tell them that there is no more to
// come.
func (s *Streams) Cut() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.Shed(1)
}

// Shed cuts off one of so many of those that are open. More may come.
func (s *Streams) Shed(oneOf int) {
	for _, cut := range s.some(oneOf) {
		cut()
	}
}

// some picks those, in no order.
func (s *Streams) some(oneOf int) (cuts []func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := len(s.open) / oneOf
	for cut := range s.open {
		if len(cuts) == most {
			break
		}
		cuts = append(cuts, *cut)
	}
	return cuts
}

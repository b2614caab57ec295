package server

import "time"

// shares is in how many steps connections are closed while the server drains.
const shares = 100

// drain goes on serving for a while, so that those who ask readyz can send their work elsewhere. When they have had half of it to notice,
// who is connected is sent away bit by bit: other nodes get them over seconds and not all at once.
func (s *Server) drain() {
	half := s.config.Limits.DrainDelay / 2
	if half < shares {
		return
	}
	time.Sleep(half)
	tick := time.NewTicker(half / shares)
	defer tick.Stop()
	for left := shares; left > 0; left-- {
		<-tick.C
		s.sockets.Shed(left)
		s.streams.Shed(left)
	}
}

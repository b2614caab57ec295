package socket

import "sync/atomic"

// traffic counts over all sockets, so that nobody has to look at each of them.
type traffic struct {
	queued atomic.Int64
	slow   atomic.Uint64
}

// Queued gives how many bytes wait to be taken by clients. What the kernel holds is not among them, nor are sockets of the
// legacy subprotocol, which wait with each message until it is taken.
func (s *Sockets) Queued() int64 { return s.traffic.queued.Load() }

// Slow counts the sockets that were given up since their clients took nothing for too long.
func (s *Sockets) Slow() uint64 { return s.traffic.slow.Load() }

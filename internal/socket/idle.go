package socket

import "time"

// CloseIdle ends a socket on which nobody says who they are and nobody asks anything. Clients of graphql-ws come back from a normal
// closure when they have something to ask, and not before.
const CloseIdle = CloseNormal

const idleReason = "nothing was asked on this socket for a while, and it belongs to no device: connect again when there is something to ask"

// isIdle reports whether a socket takes its place in vain. The sweeper asks, with each look.
func (c *conn) isIdle(now time.Time) bool {
	c.mu.Lock()
	if c.running > 0 {
		c.busyAt = now.UnixNano()
	}
	idle := now.Sub(time.Unix(0, c.busyAt))
	c.mu.Unlock()
	return c.sockets.wasted(c, idle)
}

// isIdle is that of a legacy socket, whose ticker asks. Operations that came and went between two looks have left their names.
func (c *legacyConn) isIdle(now time.Time) bool {
	named, running := c.protocol.work()
	if running || named != c.named || c.busyAt.IsZero() {
		c.named, c.busyAt = named, now
	}
	return c.sockets.wasted(c, now.Sub(c.busyAt))
}

// work gives how many operations there were, and whether one runs.
func (p *legacyProtocol) work() (named uint64, running bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.named, len(p.running)+len(p.ending) > 0
}

// wasted reports whether a socket that has been idle for so long is to go.
func (s *Sockets) wasted(m member, idle time.Duration) bool {
	if s.options.IdleTimeout <= 0 || idle < s.options.IdleTimeout {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return *m.owner() == ""
}

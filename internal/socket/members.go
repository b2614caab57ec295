package socket

import (
	"container/list"
	"context"
	"net/netip"
	"slices"

	"github.com/letterlock/letterlock/internal/term"
)

// member is an open socket.
type member interface {
	// own is Own.
	own(device string)
	// end begins to close in order.
	end(code int, reason string)
	// shed is end if no answer is owed, and tells whether it was.
	shed(code int, reason string) bool
	// endAfterReply is EndAfterReply.
	endAfterReply(code int, reason string)
	// cut hangs up.
	cut()
	// ended gives a channel that is closed when nothing of the socket is left.
	ended() <-chan struct{}
	// owner gives where Sockets keep the device that the socket belongs to.
	owner() *string
	// greeting gives where Sockets keep what the gate knows the socket by until it has said who it is.
	greeting() **list.Element
	// tenure gives for how long the socket may stay.
	tenure() *term.Term
	// address gives where the socket comes from.
	address() netip.Addr
}

// ownership is the part of a member that Sockets keep. Sockets.mu guards the device; expected is its reader's.
type ownership struct {
	device   string
	expected *list.Element
	term     term.Term
	from     netip.Addr
}

func (o *ownership) owner() *string           { return &o.device }
func (o *ownership) greeting() **list.Element { return &o.expected }
func (o *ownership) address() netip.Addr      { return o.from }

// arrived tells the gate that a socket has said who it is, or has ended. Calling it again does nothing.
func (s *Sockets) arrived(m member) {
	if place := m.greeting(); *place != nil {
		s.gate.arrived(*place)
		*place = nil
	}
}

func (s *Sockets) add(m member) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.open.Put(m, struct{}{})
	return true
}

func (s *Sockets) own(m member, device string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*m.owner() = device
	s.owned.Put(device, s.owned.Get(device).with(m))
}

func (s *Sockets) remove(m member) {
	s.arrived(m)
	s.options.Places.Leave(m.address())
	s.mu.Lock()
	defer s.mu.Unlock()
	device := *m.owner()
	s.open.Delete(m)
	if left := s.owned.Get(device).without(m); left.empty() {
		s.owned.Delete(device)
	} else {
		s.owned.Put(device, left)
	}
}

// Open gives how many sockets are open.
func (s *Sockets) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open.Len()
}

// Devices gives the ids of the devices that have sockets open.
func (s *Sockets) Devices() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(s.owned.Keys())
}

// EndDevice closes all sockets of a device that has been removed: code 4403.
func (s *Sockets) EndDevice(device string) {
	s.mu.Lock()
	ending := s.owned.Get(device).all()
	s.mu.Unlock()
	for _, m := range ending {
		go m.end(CloseForbidden, "this device was removed from its user's list")
	}
}

// Stop closes all sockets with code 1012 and takes no new ones. It waits until they have ended, or until ctx ends; then the
// rest is cut off.
func (s *Sockets) Stop(ctx context.Context) {
	s.gate.close()
	s.mu.Lock()
	s.stopped = true
	ending := slices.Collect(s.open.Keys())
	s.mu.Unlock()
	for _, m := range ending {
		go m.end(CloseRestart, restartReason)
	}
	for _, m := range ending {
		select {
		case <-m.ended():
		case <-ctx.Done():
			m.cut()
		}
	}
}

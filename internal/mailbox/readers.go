package mailbox

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// lookCount is how many mailboxes one question to the store is about.
const lookCount = 256

// readers are the open readers of a Service: one a device.
type readers struct {
	mu      sync.Mutex
	open    map[identity.DeviceID]*Reader
	stopped error
}

func newReaders() readers { return readers{open: make(map[identity.DeviceID]*Reader)} }

// add makes r the reader of its device and lets it listen. The reader before it, here or on another node, ends.
func (s *readers) add(r *Reader, hub Hub) error {
	r.id = rand.Uint64() // #nosec G404 -- a name, not a secret
	// All under one lock, so that of two subscriptions that begin at once the same one is the newer for everyone here.
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		return s.stopped
	}
	if before := s.open[r.device]; before != nil {
		_ = before.end(superseded())
	}
	hub.Notify(wakeup.Hint[Message]{Device: r.device, Event: wakeup.TakenOver, By: r.id})
	r.release = hub.Listen(r.device, r.hear)
	s.open[r.device] = r
	return nil
}

// remove forgets r.
func (s *readers) remove(r *Reader) {
	r.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[r.device] == r {
		delete(s.open, r.device)
	}
}

// end ends the readers of devices.
func (s *readers) end(devices []identity.DeviceID, reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, device := range devices {
		if r := s.open[device]; r != nil {
			_ = r.end(reason)
		}
	}
}

// close ends all readers and refuses new ones.
func (s *readers) close(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = reason
	for _, r := range s.open {
		_ = r.end(reason)
	}
}

// all gives the open readers.
func (s *readers) all() []*Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Reader, 0, len(s.open))
	for _, r := range s.open {
		list = append(list, r)
	}
	return list
}

// lookAgain asks the store about all mailboxes that are read here, many in one question, in place of wake-ups that were lost
// (delivery contract 6). A reader with nothing to read costs one row of an answer.
func (s *Service) lookAgain(ctx context.Context) {
	list := s.readers.all()
	for len(list) > 0 && ctx.Err() == nil {
		n := min(len(list), lookCount)
		s.lookAt(ctx, list[:n])
		list = list[n:]
	}
}

func (s *Service) lookAt(ctx context.Context, list []*Reader) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	mailboxes := make([]int64, len(list))
	for i, r := range list {
		mailboxes[i] = r.mailbox
	}
	epoch, seen, err := s.store.look(ctx, mailboxes)
	if err != nil {
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, "mailbox: cannot look for new messages", "error", err)
		}
		return
	}
	for _, r := range list {
		if g, found := seen[r.mailbox]; found {
			_ = r.observe(g, epoch)
		}
	}
}

// every calls tend after each interval, moved by up to a fifth at random so that nodes do not go in step, until Close.
func (s *Service) every(interval time.Duration, tend func(context.Context)) {
	for {
		fifth := interval / 5
		timer := time.NewTimer(interval - fifth + rand.N(2*fifth+1)) // #nosec G404 -- jitter
		select {
		case <-timer.C:
			tend(s.ctx)
		case <-s.stop:
			timer.Stop()
			return
		}
	}
}

package mailbox

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/slim"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// lookCount is how many mailboxes one question to the store is about.
const lookCount = 256

// readers are the open readers of a Service: one a device.
type readers struct {
	mu      sync.Mutex
	open    slim.Map[identity.DeviceID, *Feed]
	stopped error
}

// add makes f, which has a number, the reader of its device. An older one that is here ends; one on another node is told to look.
//
// Errors: SUPERSEDED if f is the older one, STOPPING.
func (s *readers) add(f *Feed, hub Hub) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		return s.stopped
	}
	if before := s.open.Get(f.device); before != nil {
		if before.number > f.number && before.epoch == f.epoch {
			return superseded()
		}
		_ = before.end(superseded())
	}
	hub.Notify(wakeup.Hint[Message]{Device: f.device, Event: wakeup.TakenOver, By: f.id})
	s.open.Put(f.device, f)
	return nil
}

// refuse gives why there are no new readers, or nil.
func (s *readers) refuse() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// remove forgets f.
func (s *readers) remove(f *Feed) {
	f.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open.Get(f.device) == f {
		s.open.Delete(f.device)
	}
}

// end ends the readers of devices.
func (s *readers) end(devices []identity.DeviceID, reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, device := range devices {
		if f := s.open.Get(device); f != nil {
			_ = f.end(reason)
		}
	}
}

// close ends all readers and refuses new ones.
func (s *readers) close(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = reason
	for f := range s.open.Values() {
		_ = f.end(reason)
	}
}

// all gives the open readers.
func (s *readers) all() []*Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Feed, 0, s.open.Len())
	for f := range s.open.Values() {
		list = append(list, f)
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

func (s *Service) lookAt(ctx context.Context, list []*Feed) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	mailboxes := make([]int64, len(list))
	for i, f := range list {
		mailboxes[i] = f.mailbox
	}
	epoch, seen, err := s.store.look(ctx, mailboxes)
	if err != nil {
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, "mailbox: cannot look for new messages", "error", err)
		}
		return
	}
	for _, f := range list {
		g, found := seen[f.mailbox]
		g.closed = g.closed || !found // deleted with its user
		_ = f.observe(g, epoch)
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

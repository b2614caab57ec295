package mailbox

import (
	"context"
	"sync"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// Bounds of what one reader holds in memory (delivery contract 7): one page from the store and one queue of what was
// handed over since. What does not fit the queue is read from the store later.
const (
	readCount  = 64
	readBytes  = pageBytes
	queuedMost = 64
	queuedSize = pageBytes
)

// Reader is one subscription to a mailbox: what waits, then what arrives, in order, nothing twice, nothing passed by
// (delivery contract 4). Next has one caller at a time; Close may be called by anyone.
type Reader struct {
	service *Service
	device  identity.DeviceID
	id      uint64
	mailbox int64
	epoch   int64
	release func()
	// since is when the subscription began.
	since time.Time

	// page and its rest belong to the caller of Next.
	page []Message
	// failing is since when the store could not be read.
	failing time.Time

	mu sync.Mutex
	// position is the highest number that was handed out, put into page, or found to be gone.
	position int64
	// queue holds committed messages without gaps between them; its first may lie anywhere behind position.
	queue      []Message
	queueBytes int
	// behind says that the store may hold more than page and queue.
	behind bool
	// ended is why there is nothing more to read.
	ended error
	// changed has a token when any of these has changed.
	changed chan struct{}
}

// Subscribe opens a device's mailbox behind a position, or from the oldest message that was not acknowledged. It ends
// the device's other reader with SUPERSEDED. The caller closes the Reader.
//
// Errors: CURSOR_INVALID, DEVICE_REMOVED, STORE_UNAVAILABLE, STOPPING, INTERNAL; ctx's own if it ends.
func (s *Service) Subscribe(ctx context.Context, device identity.DeviceID, after *Cursor) (*Reader, error) {
	found, start, err := s.open(ctx, device, after)
	if err != nil {
		return nil, err
	}
	r := &Reader{
		service: s, device: device, mailbox: found.id, epoch: found.epoch,
		since: s.now(), position: start, behind: true, changed: make(chan struct{}, 1),
	}
	// It listens before it reads: what is committed in between is heard of, or read.
	if err := s.readers.add(r, s.hub); err != nil {
		return nil, err
	}
	return r, nil
}

// Next waits for the next message.
//
// Errors: SUPERSEDED, DEVICE_REMOVED, STOPPING, CURSOR_INVALID (the store was replaced), STORE_UNAVAILABLE after it could
// not be read for a while: the subscription is over. ctx's own error if ctx ends: Next may be called again.
func (r *Reader) Next(ctx context.Context) (Message, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Message{}, err
		}
		m, next := r.take()
		switch next {
		case deliver:
			if now := r.service.now(); m.ExpiresAt.After(now) {
				r.service.options.Observer.Delivered(now.Sub(m.SentAt), !m.SentAt.Before(r.since))
				return m, nil
			}
		case finish:
			return Message{}, r.end(nil)
		case read:
			if err := r.read(ctx); err != nil {
				return Message{}, err
			}
		case await:
			select {
			case <-r.changed:
			case <-ctx.Done():
			}
		}
	}
}

// Close ends the subscription. Calling it again does nothing.
func (r *Reader) Close() {
	_ = r.end(context.Canceled)
	r.service.readers.remove(r)
}

// step is what Next has to do.
type step int

const (
	deliver step = iota
	finish
	read
	await
)

// take gives the next message if it is at hand: from the page, or from the queue if it is the very next number. A queue that
// starts behind a gap is dropped: the store has all of it.
func (r *Reader) take() (Message, step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended != nil {
		return Message{}, finish
	}
	if len(r.page) > 0 {
		m := r.page[0]
		r.page[0] = Message{}
		r.page = r.page[1:]
		return m, deliver
	}
	for len(r.queue) > 0 && r.queue[0].Number <= r.position {
		r.unqueue()
	}
	if len(r.queue) > 0 && r.queue[0].Number == r.position+1 {
		r.position++
		return r.unqueue(), deliver
	}
	if len(r.queue) > 0 || r.behind {
		r.queue, r.queueBytes, r.behind = nil, 0, false
		return Message{}, read
	}
	return Message{}, await
}

func (r *Reader) unqueue() Message {
	m := r.queue[0]
	r.queue[0] = Message{}
	r.queue = r.queue[1:]
	r.queueBytes -= len(m.Ciphertext)
	return m
}

// read fetches the next page. If the store fails it is tried again for some time: the readers of a node outlive a restart
// of their database.
func (r *Reader) read(ctx context.Context) error {
	r.mu.Lock()
	after := r.position
	r.mu.Unlock()
	s := r.service
	bounded, cancel := context.WithTimeout(ctx, attemptTimeout)
	row, messages, more, err := s.store.page(bounded, pageRequest{
		device: r.device, mailbox: r.mailbox, after: after, count: readCount, bytes: readBytes, now: s.now().UnixMicro(),
	})
	cancel()
	if err != nil {
		return r.failed(ctx, err)
	}
	r.failing = time.Time{}
	if err := r.observe(glimpse{last: row.last, closed: row.closed}, row.epoch); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.page = messages
	switch {
	case more:
		r.behind = true
		r.position = max(r.position, messages[len(messages)-1].Number)
	default:
		// All up to the standing's last number were seen: what is not in the page has expired.
		r.position = max(r.position, row.last)
		if n := len(messages); n > 0 {
			r.position = max(r.position, messages[n-1].Number)
		}
	}
	return nil
}

// failed waits before the store is read again, or ends the reader.
func (r *Reader) failed(ctx context.Context, err error) error {
	s := r.service
	failure := readFailure(ctx, err)
	if ctx.Err() == nil {
		if r.failing.IsZero() {
			r.failing = time.Now()
		}
		if problem.CodeOf(failure) != problem.StoreUnavailable || time.Since(r.failing) > s.options.RetryFor {
			return r.end(failure)
		}
	}
	r.look()
	if !sleep(ctx, longestPause) {
		return ctx.Err()
	}
	return nil
}

// hear takes a hint. It is called by the hub and never waits: a message that does not fit is read from the store later.
func (r *Reader) hear(hint wakeup.Hint[Message]) {
	switch hint.Event {
	case wakeup.Grown:
		r.grown(hint.Message)
	case wakeup.TakenOver:
		if hint.By != r.id {
			_ = r.end(superseded())
		}
	case wakeup.Removed:
		_ = r.end(deviceRemoved())
	}
}

func (r *Reader) grown(m *Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.signal()
	if m == nil {
		r.behind = true
		return
	}
	last := r.position
	if n := len(r.queue); n > 0 {
		last = r.queue[n-1].Number
	}
	switch {
	case m.Number <= last, r.behind:
		// Known, or to be read anyway.
	case m.Cursor.mailbox != r.mailbox, m.Cursor.epoch != r.epoch,
		len(r.queue) > 0 && m.Number != last+1,
		len(r.queue) >= queuedMost, r.queueBytes+len(m.Ciphertext) > queuedSize:
		r.behind = true
	default:
		r.queue = append(r.queue, *m)
		r.queueBytes += len(m.Ciphertext)
	}
}

// observe takes what the store says of the mailbox: the reader ends if it was closed or replaced, and reads if it has
// grown.
func (r *Reader) observe(seen glimpse, epoch int64) error {
	switch {
	case epoch != r.epoch:
		return r.end(Cursor{epoch: r.epoch}.within(epoch, 0, 0))
	case seen.closed:
		return r.end(deviceRemoved())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.position
	if n := len(r.queue); n > 0 {
		known = r.queue[n-1].Number
	}
	if seen.last > known {
		r.behind = true
		r.signal()
	}
	return nil
}

// look makes the reader read the store.
func (r *Reader) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behind = true
	r.signal()
}

// end ends the reader for a reason, unless it has ended before, and gives the reason that holds.
func (r *Reader) end(reason error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended == nil {
		r.ended = reason
		r.queue, r.queueBytes = nil, 0
		r.signal()
	}
	return r.ended
}

// signal is called under mu.
func (r *Reader) signal() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func superseded() error {
	return problem.New(problem.Superseded, "A newer subscription of this device has taken over.")
}

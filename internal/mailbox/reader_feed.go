package mailbox

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// Bounds of what one feed holds in memory (delivery contract 7): one page from the store and one queue of what was
// handed over since. What does not fit the queue is read from the store later.
const (
	readCount  = 64
	readBytes  = pageBytes
	queuedMost = 256
	queuedSize = pageBytes
)

// Feed is one subscription to a mailbox: what waits, then what arrives, in order, nothing twice, nothing passed by
// (delivery contract 4). It has no goroutine of its own, and little memory while nothing comes. Poll has one caller at a
// time; Close may be called by anyone.
type Feed struct {
	service *Service
	device  identity.DeviceID
	id      uint64
	release func()
	// since is when the subscription began.
	since time.Time
	// ready is called without mu.
	ready func()

	// page is what was read from the store and not handed out yet. It belongs to the caller of Poll, as does failing:
	// since when the store could not be read.
	page    []Message
	failing time.Time

	mu sync.Mutex
	// mailbox, epoch and number are set by begin, and stay. The subscription of a mailbox with the highest number is its reader.
	mailbox, epoch, number int64
	// position is the highest number that was handed out, put into page, or found to be gone.
	position int64
	// queue holds committed messages without gaps between them; its first may lie anywhere behind position.
	queue handedOver
	// behind says that the store may hold more than page and queue.
	behind bool
	// idle says that Poll had nothing to give, so that ready is called when there is.
	idle bool
	// pause is set while a store that failed is left alone.
	pause *time.Timer
	// ended is why there is nothing more to read.
	ended error
}

// Feed is Subscribe for those who do not wait: Poll gives what there is, and ready is called when it should be asked
// again, for the first time before Feed returns. ready is called from any goroutine, also some time after Close. It must
// not block: above all, whoever holds a lock that it takes must not call the Service or the Feed.
//
// Errors: those of Subscribe.
func (s *Service) Feed(ctx context.Context, device identity.DeviceID, after *Cursor, ready func()) (*Feed, error) {
	f := &Feed{service: s, device: device, id: rand.Uint64(), since: s.now(), ready: ready} // #nosec G404 -- a name, not a secret
	// It listens before it looks: what is committed in between is heard of, or seen.
	f.release = s.hub.Listen(device, f.hear)
	found, start, err := s.claim(ctx, device, after)
	if err == nil {
		f.begin(found, start)
		err = s.readers.add(f, s.hub)
	}
	if err != nil {
		f.release()
		return nil, err
	}
	ready()
	return f, nil
}

// begin begins behind a number. Of a mailbox in which nothing waits no page is read: after a restart most devices come back to one.
func (f *Feed) begin(found standing, start int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mailbox, f.epoch, f.number, f.position = found.id, found.epoch, found.reader, start
	switch {
	case found.count == 0:
		f.position = max(start, found.last) // the rest up to there was acknowledged, or has expired
	case found.last > start:
		f.behind = true
	}
}

// Poll gives the next message if it is at hand or in the store. ok is false when there is none now: ready is called once
// there may be one.
//
// Errors: SUPERSEDED, DEVICE_REMOVED, STOPPING, CURSOR_INVALID (the store was replaced), STORE_UNAVAILABLE after it could
// not be read for a while: the subscription is over. context.Canceled after Close. ctx's own error if ctx ends: Poll may be
// called again then, without waiting for ready.
func (f *Feed) Poll(ctx context.Context) (m Message, ok bool, err error) {
	for {
		m, next := f.take()
		switch next {
		case deliver:
			if now := f.service.now(); m.ExpiresAt.After(now) {
				f.service.options.Observer.Delivered(now.Sub(m.SentAt), !m.SentAt.Before(f.since))
				return m, true, nil
			}
		case finish:
			return Message{}, false, f.end(nil)
		case read:
			if err := f.read(ctx); err != nil {
				return Message{}, false, err
			}
		case await:
			return Message{}, false, nil
		}
	}
}

// Close ends the subscription, and does not call ready. Calling it again does nothing.
func (f *Feed) Close() {
	f.mu.Lock()
	f.idle = false
	f.mu.Unlock()
	_ = f.end(context.Canceled)
	f.service.readers.remove(f)
}

// step is what Poll has to do.
type step int

const (
	deliver step = iota
	finish
	read
	await
)

// take gives the next message if it is at hand: from the page, or from the queue if it is the very next number. A queue that
// starts behind a gap is dropped: the store has all of it.
func (f *Feed) take() (Message, step) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended != nil {
		return Message{}, finish
	}
	if len(f.page) > 0 {
		return f.turn(), deliver
	}
	for f.queue.count > 0 && f.queue.first().Number <= f.position {
		f.queue.pop()
	}
	switch {
	case f.queue.count > 0 && f.queue.first().Number == f.position+1:
		f.position++
		return f.queue.pop(), deliver
	case f.queue.count == 0 && !f.behind, f.pause != nil:
		f.idle = true
		return Message{}, await
	default:
		f.queue.clear()
		f.behind = false
		return Message{}, read
	}
}

// turn takes the first message of the page. A page that is used up is let go of.
func (f *Feed) turn() Message {
	m := f.page[0]
	f.page[0] = Message{}
	f.page = f.page[1:]
	if len(f.page) == 0 {
		f.page = nil
	}
	return m
}

// read fetches the next page. If the store fails it is tried again for some time: the readers of a node outlive a restart
// of their database.
func (f *Feed) read(ctx context.Context) error {
	f.mu.Lock()
	after := f.position
	f.mu.Unlock()
	s := f.service
	bounded, cancel := context.WithTimeout(ctx, attemptTimeout)
	row, messages, more, err := s.store.page(bounded, pageRequest{
		device: f.device, mailbox: f.mailbox, after: after, count: readCount, bytes: readBytes, now: s.now().UnixMicro(),
	})
	cancel()
	if err != nil {
		return f.failed(ctx, err)
	}
	f.failing = time.Time{}
	// Up to the standing's last number there is nothing behind the page, unless more says so.
	if err := f.observe(glimpse{closed: row.closed, reader: row.reader}, row.epoch); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(messages); n > 0 {
		f.page = messages
		f.position = max(f.position, messages[n-1].Number)
	}
	if more {
		f.behind = true
	} else {
		// All up to the standing's last number were seen: what is not in the page has expired.
		f.position = max(f.position, row.last)
	}
	return nil
}

// failed has the store read again after a pause, or ends the feed.
func (f *Feed) failed(ctx context.Context, err error) error {
	failure := readFailure(ctx, err)
	if ctx.Err() != nil {
		f.look()
		return failure
	}
	if f.failing.IsZero() {
		f.failing = time.Now()
	}
	if problem.CodeOf(failure) != problem.StoreUnavailable || time.Since(f.failing) > f.service.options.RetryFor {
		return f.end(failure)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.behind = true
	if f.ended == nil {
		f.pause = time.AfterFunc(longestPause, f.resume)
	}
	return nil
}

// resume ends the pause after a failure.
func (f *Feed) resume() {
	f.mu.Lock()
	f.pause = nil
	f.mu.Unlock()
	f.look()
}

// hear takes a hint. It is called by the hub and never waits: a message that does not fit is read from the store later.
func (f *Feed) hear(hint wakeup.Hint[Message]) {
	switch hint.Event {
	case wakeup.Grown:
		f.grown(hint.Message)
	case wakeup.TakenOver:
		if hint.By != f.id {
			f.look() // by is not known to be newer: the store knows
		}
	case wakeup.Removed:
		_ = f.end(deviceRemoved())
	}
}

func (f *Feed) grown(m *Message) {
	f.mu.Lock()
	defer f.unlockAndCall()
	if f.ended != nil {
		return
	}
	if m == nil {
		f.behind = true
		return
	}
	last := f.known()
	switch {
	case m.Number <= last, f.behind:
		// Known, or to be read anyway.
	case m.Cursor.mailbox != f.mailbox, m.Cursor.epoch != f.epoch,
		f.queue.count > 0 && m.Number != last+1,
		f.queue.count >= queuedMost, f.queue.bytes+len(m.Ciphertext) > queuedSize:
		f.behind = true
	default:
		f.queue.push(m)
	}
}

// known is the highest number that was handed out or is at hand. It is called under mu.
func (f *Feed) known() int64 {
	if f.queue.count > 0 {
		return f.queue.last().Number
	}
	return f.position
}

// observe takes what the store says of the mailbox: the feed ends if it was closed or replaced, or has a newer reader, and reads if
// it has grown.
func (f *Feed) observe(seen glimpse, epoch int64) error {
	switch {
	case seen.closed: // or deleted, which leaves no epoch to compare
		return f.end(deviceRemoved())
	case epoch != f.epoch:
		return f.end(Cursor{epoch: f.epoch}.within(epoch, 0, 0))
	case seen.reader > f.number:
		return f.end(superseded())
	}
	f.mu.Lock()
	defer f.unlockAndCall()
	f.behind = f.behind || seen.last > f.known()
	return nil
}

// look makes the feed read the store.
func (f *Feed) look() {
	f.mu.Lock()
	defer f.unlockAndCall()
	f.behind = true
}

// end ends the feed for a reason, unless it has ended before, and gives the reason that holds.
func (f *Feed) end(reason error) error {
	f.mu.Lock()
	defer f.unlockAndCall()
	if f.ended == nil {
		f.ended = reason
		f.queue.clear()
		if f.pause != nil {
			f.pause.Stop()
			f.pause = nil
		}
	}
	return f.ended
}

// unlockAndCall unlocks mu and calls ready if Poll had nothing to give and now has.
func (f *Feed) unlockAndCall() {
	call := f.idle && (f.ended != nil || f.pause == nil && (f.behind || f.queue.count > 0))
	if call {
		f.idle = false
	}
	f.mu.Unlock()
	if call {
		f.ready()
	}
}

func superseded() error {
	return problem.New(problem.Superseded, "A newer subscription of this device has taken over.")
}

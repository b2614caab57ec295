package wakeup

import (
	"sync"

	"github.com/letterlock/letterlock/identity"
)

// Bounds of what waits to be sent. What is beyond them is dropped.
const (
	maxWaiting       = 4 << 20
	maxWaitingFrames = 8192
	// keptFrames is how many frames keep their memory for the next round.
	keptFrames = 1024
)

// outbox is what the sender of a hub has yet to do. While it is busy, hints of one device gather in one frame.
type outbox[M any] struct {
	codec Codec[M]
	// ready has a token when there is something to do.
	ready chan struct{}

	mu sync.Mutex
	round
	// open is the frame of each device that takes more hints.
	open    map[identity.DeviceID]int
	size    int
	dropped uint64
	closed  bool
}

// round is what one round of the sender does.
type round struct {
	// interest has the devices whose listeners came or went.
	interest map[identity.DeviceID]struct{}
	frames   []deviceFrame
	removed  []identity.DeviceID
	// flushed are closed when all of it is sent.
	flushed []chan struct{}
}

type deviceFrame struct {
	device identity.DeviceID
	body   []byte
}

func newOutbox[M any](codec Codec[M]) *outbox[M] {
	return &outbox[M]{
		codec: codec, ready: make(chan struct{}, 1),
		round: round{interest: make(map[identity.DeviceID]struct{})}, open: make(map[identity.DeviceID]int),
	}
}

// add takes hints, or drops and counts them.
func (o *outbox[M]) add(hints []Hint[M]) {
	if len(hints) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	for i := range hints {
		if !o.addHint(hints[i]) {
			o.dropped++
		}
	}
	o.signal()
}

func (o *outbox[M]) addHint(hint Hint[M]) bool {
	if hint.Event == Removed {
		if len(o.removed) >= maxWaitingFrames {
			return false
		}
		o.removed = append(o.removed, hint.Device)
		return true
	}
	size, message := hintSize(hint, o.codec)
	if o.size+size > maxWaiting {
		return false
	}
	frame := o.frame(hint.Device, size)
	if frame == nil {
		return false
	}
	frame.body = appendHint(frame.body, hint, message, o.codec)
	o.size += size
	return true
}

// frame gives a device's frame with room for size bytes, or nil if there are too many.
func (o *outbox[M]) frame(device identity.DeviceID, size int) *deviceFrame {
	if i, found := o.open[device]; found && len(o.frames[i].body)+size <= maxFrame {
		return &o.frames[i]
	}
	n := len(o.frames)
	if n >= maxWaitingFrames {
		return nil
	}
	if n < cap(o.frames) {
		o.frames = o.frames[:n+1] // and the memory of a frame that was sent
	} else {
		o.frames = append(o.frames, deviceFrame{})
	}
	frame := &o.frames[n]
	frame.device, frame.body = device, append(frame.body[:0], frameVersion)
	o.open[device] = n
	return frame
}

// note says that the listeners of a device came or went.
func (o *outbox[M]) note(device identity.DeviceID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.interest[device] = struct{}{}
		o.signal()
	}
}

// flush gives a channel that is closed when all that was added before is sent.
func (o *outbox[M]) flush() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	done := make(chan struct{})
	o.flushed = append(o.flushed, done)
	o.signal()
	return done
}

// close takes nothing more.
func (o *outbox[M]) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.signal()
}

// take gives what there is to do and goes on with done, an earlier round whose memory is used again. over is true after
// close.
func (o *outbox[M]) take(done round) (next round, dropped uint64, over bool) {
	clear(done.interest)
	if done.interest == nil {
		done.interest = make(map[identity.DeviceID]struct{})
	}
	if cap(done.frames) > keptFrames {
		done.frames = nil
	}
	done.frames, done.removed, done.flushed = done.frames[:0], nil, nil
	o.mu.Lock()
	defer o.mu.Unlock()
	next, dropped = o.round, o.dropped
	o.round, o.size, o.dropped = done, 0, 0
	clear(o.open)
	return next, dropped, o.closed
}

// signal is called under mu.
func (o *outbox[M]) signal() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

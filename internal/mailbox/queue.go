package mailbox

import (
	"sync"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

// Bounds of what waits for the writer, in all and for one transaction. A batch is as large as what has come in while the
// batch before it was committed; the bounds keep one transaction in the tens of milliseconds.
const (
	queueCount = 8192
	queueBytes = 64 << 20
	// queueDevice is how much of it may come from one device, so that none keeps the others out.
	queueDevice = 256

	batchCount     = 512
	batchEnvelopes = 1024
	batchBytes     = 4 << 20
)

// overloadedRetryAfter is how long a caller who meets a full queue is asked to wait: some batches.
const overloadedRetryAfter = 500 * time.Millisecond

// work is a send or an acknowledgement that waits for the writer.
type work struct {
	// since is when it came in, by the process's own stopwatch.
	since time.Time
	// Of the two, one is set.
	send *sendWork
	ack  *ackWork
	// done gets the answer once. It has room for it, so that the writer never waits for a caller who has gone.
	done chan answer
}

type ackWork struct {
	device identity.DeviceID
	upTo   Cursor
}

// answer is a Receipt or an Acknowledgement, or why there is none.
type answer struct {
	receipt         Receipt
	acknowledgement Acknowledgement
	err             error
}

// device is where the work came from.
func (w *work) device() identity.DeviceID {
	if w.send == nil {
		return w.ack.device
	}
	return w.send.device
}

func (w *work) answer(a answer) { w.done <- a }

func (w *work) fail(err error) { w.answer(answer{err: err}) }

func (w *work) envelopes() int {
	if w.send == nil {
		return 1
	}
	return len(w.send.envelopes)
}

func (w *work) bytes() int {
	if w.send == nil {
		return 0
	}
	return w.send.bytes
}

// queue holds the work that waits, in order of arrival, within bounds.
type queue struct {
	mu      sync.Mutex
	waiting []*work
	bytes   int
	devices map[identity.DeviceID]int
	closed  bool
	// ready has a token whenever there may be something to take.
	ready chan struct{}
}

func newQueue() *queue {
	return &queue{devices: make(map[identity.DeviceID]int), ready: make(chan struct{}, 1)}
}

// put adds work, or fails with OVERLOADED or STOPPING.
func (q *queue) put(w *work) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return stopping()
	case len(q.waiting) >= queueCount, q.devices[w.device()] >= queueDevice, q.bytes > 0 && q.bytes+w.bytes() > queueBytes:
		return &problem.Error{
			Code: problem.Overloaded, Message: "Too much is waiting to be stored. Try again a little later.",
			Stored: problem.No, RetryAfter: overloadedRetryAfter,
		}
	}
	q.waiting = append(q.waiting, w)
	q.bytes += w.bytes()
	q.devices[w.device()]++
	q.signal()
	return nil
}

// putBack adds work that was taken and did not fit its batch. It stays within the bounds that let it in.
func (q *queue) putBack(w *work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, w)
	q.bytes += w.bytes()
	q.devices[w.device()]++
	q.signal()
}

// close refuses what comes from now on. What waits can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// take gives the next batch, empty if nothing waits; over is true when nothing will come any more.
//
// In a batch each key of a send is there once, and each device acknowledges once: what repeats one waits for the next
// batch, which then finds it remembered.
func (q *queue) take() (batch []*work, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var taken taken
	var kept []*work
	next := 0
	for ; next < len(q.waiting) && taken.roomFor(q.waiting[next]); next++ {
		w := q.waiting[next]
		if !taken.add(w) {
			kept = append(kept, w)
			continue
		}
		batch = append(batch, w)
		q.forget(w)
	}
	q.waiting = append(kept, q.waiting[next:]...)
	if len(q.waiting) > 0 || q.closed {
		q.signal()
	}
	return batch, q.closed && len(batch) == 0 && len(q.waiting) == 0
}

func (q *queue) forget(w *work) {
	q.bytes -= w.bytes()
	q.devices[w.device()]--
	if q.devices[w.device()] == 0 {
		delete(q.devices, w.device())
	}
}

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// taken keeps count of a batch in the making.
type taken struct {
	count, envelopes, bytes int
	keys                    map[sendKey]bool
	devices                 map[identity.DeviceID]bool
}

// roomFor is true for any first piece of work: each alone is within what Service.Send admits.
func (t *taken) roomFor(w *work) bool {
	return t.count == 0 || t.count < batchCount && t.envelopes+w.envelopes() <= batchEnvelopes && t.bytes+w.bytes() <= batchBytes
}

func (t *taken) add(w *work) bool {
	if t.keys == nil {
		t.keys, t.devices = make(map[sendKey]bool), make(map[identity.DeviceID]bool)
	}
	if w.send != nil {
		if t.keys[w.send.sendKey] {
			return false
		}
		t.keys[w.send.sendKey] = true
	} else {
		if t.devices[w.ack.device] {
			return false
		}
		t.devices[w.ack.device] = true
	}
	t.count++
	t.envelopes += w.envelopes()
	t.bytes += w.bytes()
	return true
}

func stopping() error {
	return problem.New(problem.Stopping, "The server is stopping. Try again with the next one.")
}

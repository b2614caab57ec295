package socket

const (
	// maxQueued is how many bytes may wait on one connection before those who have more to say wait, too.
	maxQueued = 64 << 10
	// maxBatch is how much a source says before it is written.
	maxBatch = 32 << 10
)

// queue holds the frames that wait to be written on one connection, in order and in few pieces.
type queue struct {
	first, last *buffer
	bytes       int // of those that wait, and of the one that is being written
}

func (q *queue) empty() bool { return q.first == nil }

// push adds frames. It is false if the bytes were copied, so that b is free.
func (q *queue) push(b *buffer) bool {
	q.bytes += len(b.data)
	switch {
	case q.first == nil:
		q.first, q.last = b, b
	case len(q.last.data)+len(b.data) <= maxQueued:
		q.last.data = append(q.last.data, b.data...) // so that one write takes them
		return false
	default:
		q.last.next, q.last = b, b
	}
	return true
}

// take gives the first piece to be written.
func (q *queue) take() *buffer {
	b := q.first
	q.first, b.next = b.next, nil
	return b
}

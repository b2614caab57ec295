package mailbox

// handedOver is a queue of messages, in a ring that grows by doubling. What one feed keeps while the queue is empty is a
// slot or two: those of a burst are let go of.
//
// It copies messages: a pointer into the batch that they were committed in would hold all of the batch in memory.
type handedOver struct {
	slots []Message // a power of two
	start int
	count int
	bytes int // of ciphertext
}

// keptSlots is how many slots stay for the next message.
const keptSlots = 2

func (q *handedOver) slot(i int) *Message { return &q.slots[(q.start+i)&(len(q.slots)-1)] }

// first and last are not to be asked of an empty queue, nor is pop.
func (q *handedOver) first() *Message { return q.slot(0) }
func (q *handedOver) last() *Message  { return q.slot(q.count - 1) }

func (q *handedOver) push(m *Message) {
	if q.count == len(q.slots) {
		q.grow()
	}
	q.count++
	*q.last() = *m
	q.bytes += len(m.Ciphertext)
}

func (q *handedOver) grow() {
	slots := make([]Message, max(1, 2*len(q.slots)))
	for i := range q.count {
		slots[i] = *q.slot(i)
	}
	q.slots, q.start = slots, 0
}

func (q *handedOver) pop() Message {
	slot := q.first()
	m := *slot
	*slot = Message{}
	q.start++
	q.count--
	q.bytes -= len(m.Ciphertext)
	if q.count == 0 {
		q.clear()
	}
	return m
}

func (q *handedOver) clear() {
	slots := q.slots
	clear(slots)
	if len(slots) > keptSlots {
		slots = nil
	}
	*q = handedOver{slots: slots}
}

package load

// longestMessage bounds what a server can make us keep.
const longestMessage = 16 << 20

// incoming takes apart what a connection brings.
type incoming interface {
	// space is where to read into.
	space() []byte
	// fed says how much was read.
	fed(n int)
	// next gives the next message that has been read whole. It is good until the call after.
	next() (message []byte, ok bool, err error)
}

// window is a buffer that is read into at its end and looked at from its beginning.
type window struct {
	buffer     []byte
	begin, end int
	expected   int // the length of what is read next, as far as that is known
}

func (w *window) unread() []byte { return w.buffer[w.begin:w.end] }

// expect makes sure that so many bytes have room.
func (w *window) expect(size int) { w.expected = min(size, longestMessage+16) }

// space is incoming's.
func (w *window) space() []byte {
	if w.begin == w.end {
		w.begin, w.end = 0, 0
	}
	if w.begin+w.expected > len(w.buffer) || w.end == len(w.buffer) {
		buffer := w.buffer
		if need := max(w.expected, w.end-w.begin+1); need > len(buffer) {
			buffer = make([]byte, 2*need)
		}
		w.end = copy(buffer, w.unread())
		w.begin, w.buffer = 0, buffer
	}
	return w.buffer[w.end:]
}

// fed is incoming's.
func (w *window) fed(n int) { w.end += n }

package history

// mailbox is what is known of one device's.
type mailbox struct {
	device  string
	removed int64 // line at which its removal was answered; 0 while it is listed
	leaving bool  // its removal was asked for

	highest int64 // first sights are 1 … highest
	asked   int64 // highest position that an acknowledgement was asked for
	acked   int64 // highest position whose acknowledgement was answered

	// waiting are the parts at acked+1 … highest; nil where a position was never seen.
	waiting []*part
	// owed are the parts that were answered STORED, in the order of the answers; seen ones go when they come to the front.
	owed []*part
	// readings are how many are open.
	readings int
	// expected are the parts of this mailbox that are not over.
	expected map[*part]struct{}
}

// oldest gives the part that was owed first and was not seen.
func (b *mailbox) oldest() *part {
	for len(b.owed) > 0 && !b.owed[0].due() {
		b.owed[0] = nil
		b.owed = b.owed[1:]
	}
	if len(b.owed) == 0 {
		b.owed = nil
		return nil
	}
	return b.owed[0]
}

// at gives what was seen at a position that is not acknowledged.
func (b *mailbox) at(position int64) *part {
	if i := position - b.acked - 1; i >= 0 && i < int64(len(b.waiting)) {
		return b.waiting[i]
	}
	return nil
}

// see notes what the next position holds.
func (b *mailbox) see(position int64, p *part) {
	for ; b.highest < position-1; b.highest++ {
		b.waiting = append(b.waiting, nil)
	}
	b.waiting, b.highest = append(b.waiting, p), position
}

// acknowledge notes that everything up to a position is gone, and gives what that was.
func (b *mailbox) acknowledge(upTo int64) []*part {
	n := min(max(upTo-b.acked, 0), int64(len(b.waiting)))
	gone := b.waiting[:n:n]
	b.waiting = b.waiting[n:]
	if len(b.waiting) == 0 {
		b.waiting = nil
	}
	b.acked += n
	return gone
}

// reading is a subscription or a run of pages.
type reading struct {
	box   *mailbox
	begun int64
	acked int64 // the mailbox's when it began
	last  int64 // the position that came last, or behind which it began
}

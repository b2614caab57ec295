package drive

import "strconv"

// place is where a device is in its mailbox: what it was shown and has not acknowledged, with cursors to come back at.
type place struct {
	acked   int64 // the highest position whose acknowledgement was answered
	cursor  string
	cursors []string // of acked+1 and so on
}

func (p *place) highest() int64 { return p.acked + int64(len(p.cursors)) }

// at gives the cursor of a position from acked to highest; empty for the beginning.
func (p *place) at(position int64) string {
	if position <= p.acked {
		return p.cursor
	}
	return p.cursors[position-p.acked-1]
}

// shown notes the cursor of a position. What comes out of order is for the checker to tell.
func (p *place) shown(position int64, cursor string) {
	if position == p.highest()+1 {
		p.cursors = append(p.cursors, cursor)
	}
}

func (p *place) acknowledged(position int64) {
	if position <= p.acked {
		return
	}
	p.cursor = p.at(position)
	p.cursors = p.cursors[position-p.acked:]
	p.acked = position
}

// numberBits are the low bits of a message's id: its position. The API does not promise that, and clients use cursors; a test
// may know it.
const numberBits = 32

func position(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	return n & (1<<numberBits - 1), err
}

package device

import (
	"slices"

	"github.com/letterlock/letterlock/identity"
)

// sequence is what has come of one device's counters in one conversation (C1.2).
type sequence struct {
	Highest uint64
	Missing []span `json:",omitempty"` // below Highest, ascending
}

// span is a run of counters, both ends included.
type span struct{ From, To uint64 }

// maxSpans bounds what is remembered of gaps; the oldest are given up, and what then still comes counts as repeated.
const maxSpans = 256

func sequenceKey(peer identity.UserID, device identity.DeviceID) Key {
	return Key{Collection: collectionSequence, Owner: peer.String() + "/" + device.String()}
}

// observe takes the counter of a message that came, at least 1. It gives how many just before it are missing that were
// not known to be missing, and a mark if the message is out of order. A device that joined its user later (fromStart is
// false) has missed nothing before the first message that it gets.
func (s *sequence) observe(counter uint64, fromStart bool) (missing uint64, mark Mark) {
	switch {
	case s.Highest == 0 && !fromStart:
		if counter > 1 { // what the server has held back may still come, unannounced
			s.Missing = []span{{1, counter - 1}}
		}
		s.Highest = counter
		return 0, ""
	case counter > s.Highest:
		missing = counter - s.Highest - 1
		if missing > 0 {
			s.Missing = append(s.Missing, span{s.Highest + 1, counter - 1})
		}
		s.Highest = counter
		s.Missing = s.Missing[max(0, len(s.Missing)-maxSpans):]
		return missing, ""
	case s.fill(counter):
		return 0, Late
	default:
		return 0, RepeatedCounter
	}
}

// fill takes a counter out of what is missing, and says whether it was.
func (s *sequence) fill(counter uint64) bool {
	i := slices.IndexFunc(s.Missing, func(m span) bool { return m.From <= counter && counter <= m.To })
	if i < 0 {
		return false
	}
	gap := s.Missing[i]
	var rest []span
	if gap.From < counter {
		rest = append(rest, span{gap.From, counter - 1})
	}
	if counter < gap.To {
		rest = append(rest, span{counter + 1, gap.To})
	}
	s.Missing = slices.Replace(s.Missing, i, i+1, rest...)
	s.Missing = s.Missing[max(0, len(s.Missing)-maxSpans):]
	return true
}

package history

// name is what a message is known by everywhere.
type name struct{ sender, message string }

// message is one that may still come, or be answered.
type message struct {
	name
	begun  int64 // line of the first try with this content
	open   int   // tries that may have stored it: unanswered, or answered STORED
	done   bool  // no more tries
	at     string
	stored bool
	to     []*part
}

// part is one device's part of a message.
type part struct {
	Envelope
	box      *mailbox
	message  *message
	answered int64 // line of the first answer STORED; 0 before
	position int64 // 0 until it was seen
	over     bool  // acknowledged, or the device is gone: nothing is expected of it any more
	missed   bool  // what came after it was seen before it: that was told
}

// due tells whether a part that was answered STORED has still to be seen.
func (p *part) due() bool { return p.position == 0 && !p.over && !p.missed }

func (m *message) part(device string) *part {
	for _, p := range m.to {
		if p.Device == device {
			return p
		}
	}
	return nil
}

// same tells whether a try has the content of the ones before.
func (m *message) same(to []Envelope) bool {
	if len(to) != len(m.to) {
		return false
	}
	for i, e := range to {
		if m.to[i].Device != e.Device || m.to[i].Content != e.Content {
			return false
		}
	}
	return true
}

func (m *message) seen() bool {
	for _, p := range m.to {
		if p.position > 0 {
			return true
		}
	}
	return false
}

// finished tells whether nothing of a message is expected. One that may have been stored is expected until all of it was seen.
func (m *message) finished() bool {
	if !m.done {
		return false
	}
	if m.open == 0 {
		return true
	}
	for _, p := range m.to {
		if !p.over && p.Status != StatusFull {
			return false
		}
	}
	return true
}

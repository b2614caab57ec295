package history

import "slices"

func (c *Checker) sending(e Event) {
	m := c.messages[name{e.Device, e.Message}]
	if e.Kind == Send {
		c.send(e, m)
		return
	}
	if m == nil {
		c.breach(RuleNonsense, "%s of message %s, which has no try", e.Kind, e.Message)
		return
	}
	switch e.Kind {
	case Stored:
		c.stored(e, m)
	case Refused:
		c.refused(e, m)
	case Done:
		m.done = true
	default: // unanswered: it may have been stored
	}
	c.forget(m)
}

// send begins a try. After certain refusals the same id may stand for other content.
func (c *Checker) send(e Event, m *message) {
	if c.mailbox(e.Device) == nil {
		return
	}
	if m != nil && m.open == 0 && !m.same(e.To) {
		m.done = true
		c.forget(m)
		m = nil
	}
	switch {
	case m == nil:
		m = c.begin(e)
	case m.done || !m.same(e.To):
		c.breach(RuleNonsense, "message %s is tried again after the last time, or with other content", e.Message)
	}
	m.open++
}

func (c *Checker) begin(e Event) *message {
	m := &message{name: name{e.Device, e.Message}, begun: c.line}
	for _, envelope := range e.To {
		p := &part{Envelope: envelope, box: c.mailbox(envelope.Device), message: m}
		m.to = append(m.to, p)
		if p.box != nil {
			p.box.expected[p] = struct{}{}
		}
	}
	c.messages[m.name] = m
	return m
}

func (c *Checker) stored(e Event, m *message) {
	if b := c.mailboxes[e.Device]; b != nil && b.removed > 0 && b.removed < m.begun {
		c.breach(RuleRemoved, "message %s was accepted from %s, which was removed at line %d", e.Message, e.Device, b.removed)
	}
	if m.stored {
		c.again(e, m)
		return
	}
	if len(e.To) != len(m.to) {
		c.breach(RuleAnswer, "message %s is for %d devices, and %d were answered", e.Message, len(m.to), len(e.To))
		return
	}
	m.stored, m.at = true, e.At
	for i, answered := range e.To {
		c.settle(m.to[i], answered)
	}
}

// again compares the answer to a repeated call with the first.
func (c *Checker) again(e Event, m *message) {
	same := func(answered Envelope, p *part) int {
		if answered.Device == p.Device && answered.Status == p.Status {
			return 0
		}
		return 1
	}
	if e.At != m.at || slices.CompareFunc(e.To, m.to, same) != 0 {
		c.breach(RuleAnswer, "message %s was repeated and answered otherwise: %v at %s, before at %s", e.Message, e.To, e.At, m.at)
	}
}

// settle takes the first answer for one device.
func (c *Checker) settle(p *part, answered Envelope) {
	p.Status = answered.Status
	switch {
	case answered.Device != p.Device || answered.Status != StatusStored && answered.Status != StatusFull:
		c.breach(RuleAnswer, "message %s for %s was answered %q for %s", p.message.message, p.Device, answered.Status, answered.Device)
	case answered.Status == StatusFull && p.position > 0:
		c.breach(RuleAnswer, "message %s came to %s, and was answered as not stored", p.message.message, p.Device)
	case answered.Status == StatusFull || p.box == nil || p.over:
	case p.box.removed > 0 && p.box.removed < p.message.begun:
		c.breach(RuleRemoved, "message %s was stored for %s, which was removed at line %d", p.message.message, p.Device, p.box.removed)
	default:
		p.answered = c.line
		if p.position == 0 {
			p.box.owed = append(p.box.owed, p)
		}
	}
}

// never are the refusals that a stored message never meets: the remembered answer wins over these checks.
var never = []string{listChanged, "RECIPIENT_UNKNOWN", "MESSAGE_ID_REUSED", "MESSAGE_ID_EXPIRED"}

// refused takes an error. One that says NO is certain of this try alone, but for a list that has moved on.
func (c *Checker) refused(e Event, m *message) {
	if e.Outcome != OutcomeNo {
		return
	}
	m.open--
	if e.Code == listChanged {
		m.open = 0
	}
	switch {
	case m.stored && slices.Contains(never, e.Code):
		c.breach(RuleAnswer, "message %s was stored, and repeated it was refused: %s", e.Message, e.Code)
	case m.open <= 0 && m.seen():
		c.breach(RuleRefused, "message %s has come, and every try was refused, the last as %s", e.Message, e.Code)
	}
}

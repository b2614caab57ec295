package history

func (c *Checker) read(e Event) {
	b := c.mailbox(e.Device)
	if b == nil {
		return
	}
	if c.readings[e.Reading] != nil {
		c.breach(RuleNonsense, "reading %d began twice", e.Reading)
		return
	}
	b.readings++
	c.readings[e.Reading] = &reading{box: b, begun: c.line, acked: b.acked, last: max(e.Position, b.acked)}
}

func (c *Checker) reading(e Event) {
	r := c.readings[e.Reading]
	switch {
	case r == nil:
		c.breach(RuleNonsense, "%s of reading %d, which is not open", e.Kind, e.Reading)
	case e.Kind == Got:
		c.got(e, r)
	default:
		c.closed(e, r)
	}
}

// closed ends a reading. At the mailbox's end it has shown all that was answered before it began.
func (c *Checker) closed(e Event, r *reading) {
	delete(c.readings, e.Reading)
	b := r.box
	b.readings--
	if e.AtEnd && !b.leaving {
		c.late(b, r.begun, "a reading of the whole mailbox has not shown it")
	}
	c.clear(b)
}

// late tells of parts that were answered before a line and not seen by now.
func (c *Checker) late(b *mailbox, before int64, why string) {
	for p := b.oldest(); p != nil && p.answered < before; p = b.oldest() {
		p.missed = true
		c.breach(RuleLost, "message %s was answered STORED for %s at line %d: %s", p.message.message, b.device, p.answered, why)
	}
}

func (c *Checker) got(e Event, r *reading) {
	b := r.box
	if b.removed > 0 && b.removed < r.begun {
		c.breach(RuleRemoved, "position %d was shown to %s, which was removed at line %d", e.Position, b.device, b.removed)
		return
	}
	if !c.inOrder(e.Position, r) {
		return
	}
	r.last = e.Position
	if e.Position > b.highest {
		c.first(e, b)
		return
	}
	c.redelivered(e, b)
}

// inOrder checks a position against the ones before.
func (c *Checker) inOrder(position int64, r *reading) bool {
	switch b := r.box; {
	case position <= r.acked:
		c.breach(RuleAcknowledged, "position %d came to %s, and up to %d was acknowledged before the reading began", position, b.device, r.acked)
	case position <= r.last:
		c.breach(RuleOrder, "position %d came to %s behind %d", position, b.device, r.last)
	case position > max(r.last, b.asked)+1:
		c.breach(RuleGap, "position %d came to %s behind %d, and up to %d is acknowledged", position, b.device, r.last, b.asked)
		return true // all the same it was shown
	default:
		return true
	}
	return false
}

// first takes the first sight of a position.
func (c *Checker) first(e Event, b *mailbox) {
	p := c.find(e, b)
	b.see(e.Position, p)
	if p == nil {
		return
	}
	p.position = e.Position
	c.late(b, p.message.begun, "what was sent later came before it")
	m := p.message
	switch {
	case p.Status == StatusFull:
		c.breach(RuleAnswer, "message %s came to %s, and was answered as not stored", m.message, b.device)
	case m.open <= 0:
		c.breach(RuleRefused, "message %s came to %s, and every try was refused", m.message, b.device)
	case b.removed > 0 && b.removed < m.begun:
		c.breach(RuleRemoved, "message %s came to %s, which was removed at line %d before it was sent", m.message, b.device, b.removed)
	}
}

// find gives what was sent; nil, and a breach, if nobody has sent that.
func (c *Checker) find(e Event, b *mailbox) *part {
	m := c.messages[name{e.Sender, e.Message}]
	if m == nil {
		c.breach(RuleInvented, "message %s came to %s at %d: nobody has sent it, or it was acknowledged before", e.Message, b.device, e.Position)
		return nil
	}
	p := m.part(b.device)
	switch {
	case p == nil:
		c.breach(RuleInvented, "message %s came to %s at %d, and was not for it", e.Message, b.device, e.Position)
	case p.position > 0:
		c.breach(RuleTwice, "message %s came to %s at %d, and at %d before", e.Message, b.device, e.Position, p.position)
		return nil
	case p.Content != e.Content:
		c.breach(RuleContent, "message %s came to %s with other content", e.Message, b.device)
	}
	return p
}

// redelivered takes a position that was shown before. What is acknowledged is not remembered.
func (c *Checker) redelivered(e Event, b *mailbox) {
	p := b.at(e.Position)
	if p == nil {
		return
	}
	if p.message.message != e.Message || p.message.sender != e.Sender || p.Content != e.Content {
		c.breach(RuleChanged, "position %d of %s was message %s, and is now %s", e.Position, b.device, p.message.message, e.Message)
	}
}

func (c *Checker) acknowledging(e Event) {
	b := c.mailbox(e.Device)
	if b == nil {
		return
	}
	if e.Kind == Acknowledge {
		if e.Position > b.highest {
			c.breach(RuleNonsense, "%s acknowledges up to %d and has seen up to %d", e.Device, e.Position, b.highest)
		}
		b.asked = max(b.asked, e.Position)
		return
	}
	if e.Count > max(e.Position-b.acked, 0) {
		c.breach(RuleAnswer, "acknowledging up to %d has removed %d from %s, where up to %d was acknowledged", e.Position, e.Count, e.Device, b.acked)
	}
	for _, p := range b.acknowledge(e.Position) {
		if p != nil {
			c.end(p)
			c.forget(p.message)
		}
	}
}

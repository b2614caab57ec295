package history

func (c *Checker) added(e Event) {
	if c.mailboxes[e.Device] != nil {
		c.breach(RuleNonsense, "device %q was added twice", e.Device)
		return
	}
	c.mailboxes[e.Device] = &mailbox{device: e.Device, expected: map[*part]struct{}{}}
}

func (c *Checker) removal(e Event) {
	b := c.mailbox(e.Device)
	if b == nil {
		return
	}
	b.leaving = true
	if e.Kind == Removed && b.removed == 0 {
		b.removed = c.line
		c.clear(b)
	}
}

// clear lets go of what a removed device would have got, once no reading of it is open that began before.
func (c *Checker) clear(b *mailbox) {
	if b.removed == 0 || b.readings > 0 {
		return
	}
	b.waiting, b.owed = nil, nil
	for p := range b.expected {
		c.end(p)
		c.forget(p.message)
	}
}

package history

// Held is how many things a Checker remembers.
func (c *Checker) Held() int {
	sum := len(c.messages) + len(c.readings)
	for _, b := range c.mailboxes {
		sum += len(b.waiting) + len(b.expected) + len(b.owed)
	}
	return sum
}

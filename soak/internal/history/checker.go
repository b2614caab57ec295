package history

import (
	"fmt"
	"slices"
)

// kept is how many breaches are kept in words; the others are counted.
const kept = 100

// Checker reads a history and keeps only what the rest of it can still depend on: messages that were not acknowledged, calls that
// may be repeated, and a few numbers for each device. It is for one goroutine.
type Checker struct {
	line      int64
	messages  map[name]*message
	mailboxes map[string]*mailbox
	readings  map[int64]*reading
	counts    map[Kind]int64
	breaches  []Breach
	breached  int64
}

// New makes a Checker for a history from its beginning.
func New() *Checker {
	return &Checker{
		messages: map[name]*message{}, mailboxes: map[string]*mailbox{}, readings: map[int64]*reading{}, counts: map[Kind]int64{},
	}
}

// Add takes the next line.
func (c *Checker) Add(e Event) {
	c.line++
	c.counts[e.Kind]++
	switch e.Kind {
	case Added:
		c.added(e)
	case Remove, Removed:
		c.removal(e)
	case Send, Stored, Refused, Unanswered, Done:
		c.sending(e)
	case Read:
		c.read(e)
	case Got, Closed:
		c.reading(e)
	case Acknowledge, Acknowledged:
		c.acknowledging(e)
	default:
		c.breach(RuleNonsense, "no such kind of event: %q", e.Kind)
	}
}

// Owed is how many envelopes were answered STORED, belong to listed devices and were not seen.
func (c *Checker) Owed() int {
	sum := 0
	for _, b := range c.mailboxes {
		if b.leaving {
			continue
		}
		for _, p := range b.owed {
			if p.due() {
				sum++
			}
		}
	}
	return sum
}

// Finish says that nothing comes any more: what is owed is lost.
func (c *Checker) Finish() {
	c.line++
	for _, device := range sorted(c.mailboxes) {
		b := c.mailboxes[device]
		for _, p := range b.owed {
			if p.due() && !b.leaving {
				c.breach(RuleLost, "message %s was answered STORED for %s at line %d and was never seen", p.message.message, device, p.answered)
			}
		}
	}
}

// Lines is how many were read.
func (c *Checker) Lines() int64 { return c.line }

// Count is how many events of a kind were read.
func (c *Checker) Count(k Kind) int64 { return c.counts[k] }

// Operations are the calls that began and the envelopes that were shown.
func (c *Checker) Operations() int64 {
	return c.counts[Send] + c.counts[Read] + c.counts[Got] + c.counts[Acknowledge] + c.counts[Remove] + c.counts[Added]
}

// Breaches gives the first ones in words, and how many there are in all.
func (c *Checker) Breaches() ([]Breach, int64) { return slices.Clone(c.breaches), c.breached }

func (c *Checker) breach(rule Rule, format string, values ...any) {
	c.breached++
	if len(c.breaches) < kept {
		c.breaches = append(c.breaches, Breach{Line: c.line, Rule: rule, Text: fmt.Sprintf(format, values...)})
	}
}

func (c *Checker) mailbox(device string) *mailbox {
	b := c.mailboxes[device]
	if b == nil {
		c.breach(RuleNonsense, "device %q was never added", device)
	}
	return b
}

// forget lets go of a message that nothing is expected of. Should it come once more, nobody has sent it.
func (c *Checker) forget(m *message) {
	if m.finished() && c.messages[m.name] == m {
		delete(c.messages, m.name)
		for _, p := range m.to {
			c.end(p)
		}
	}
}

// end expects nothing of a part any more.
func (c *Checker) end(p *part) {
	p.over = true
	if p.box != nil {
		delete(p.box.expected, p)
	}
}

func sorted(m map[string]*mailbox) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

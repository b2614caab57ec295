package device

import (
	"strings"
	"testing"
)

// thief has a copy of everything that a party's device held at some point, without its memory of what was accepted, and
// listens to all envelopes.
func (p *party) thief() *party {
	records := p.snapshot()
	for key := range records {
		if key.Collection == collectionAccepted || key.Collection == collectionPreamble {
			delete(records, key)
		}
	}
	return &party{world: p.world, Self: p.Self, records: records, signing: p.signing}
}

// opensAny reports how many envelopes the thief can open.
func (p *party) opensAny(envelopes []Envelope) (opened int) {
	p.t.Helper()
	for _, envelope := range envelopes {
		for _, notice := range p.receive(envelope).Notices {
			if m := notice.Message; m != nil && !strings.HasPrefix(m.Text, "known") {
				opened++
			}
		}
	}
	return opened
}

// R7: a thief who takes everything that Bob's device holds can open nothing from before; and, who only listens, nothing after
// one full round of the ratchet. In between he can.
func TestForwardSecrecyAndHealing_R7(t *testing.T) {
	c := newTalk(t)
	var before []Envelope
	exchange := func(to, from *party, text string) []Envelope {
		t.Helper()
		from.sent(to.User, text)
		envelopes := to.mail()
		for _, envelope := range envelopes {
			if reason := refusal(to.receive(envelope)); reason != "" {
				t.Fatalf("refused for %q", reason)
			}
		}
		return envelopes
	}
	for range 3 {
		before = append(before, exchange(c.bob, c.alice, "before")...)
		before = append(before, exchange(c.bob, c.alice, "and again before")...)
		exchange(c.alice, c.bob, "answer")
	}
	thief := c.bob.thief()
	if opened := thief.opensAny(before); opened != 0 {
		t.Fatalf("%d of %d envelopes from before open with what was stolen", opened, len(before))
	}
	during := exchange(c.bob, c.alice, "right after the theft")
	if opened := c.bob.copyOf(thief).opensAny(during); opened != 1 {
		t.Fatalf("%d envelopes open right after the theft, want 1: this test would show nothing", opened)
	}
	exchange(c.alice, c.bob, "bob turns the ratchet")
	exchange(c.bob, c.alice, "alice answers with a key that agrees with bob's new one")
	exchange(c.alice, c.bob, "and bob")
	after := exchange(c.bob, c.alice, "after")
	if opened := c.bob.copyOf(thief).opensAny(after); opened != 0 {
		t.Fatal("what came after a full round opens with what was stolen")
	}
}

// copyOf gives a thief who starts again from what was stolen.
func (p *party) copyOf(thief *party) *party {
	again := *thief
	again.records = thief.snapshot()
	return &again
}

// The one-time prekeys of a first message are gone once it was read: who steals the device afterwards can't open it.
func TestForwardSecrecyOfTheFirstMessage_R2(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "first")
	first := c.bob.mail()
	c.bob.receive(first[0])
	thief := c.bob.thief()
	delete(thief.records, sessionsKey(c.alice.User, c.alice.Device))
	if opened := thief.opensAny(first); opened != 0 {
		t.Fatal("a first message opens with what was stolen afterwards")
	}
	if reason := refusal(c.bob.thief().receive(first[0])); reason == "" {
		t.Fatal("it opens with the session")
	}
}

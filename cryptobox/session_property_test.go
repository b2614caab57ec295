package cryptobox_test

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/cryptobox"
)

// flight is a message on its way, or one that the network kept for later.
type flight struct {
	bytes []byte
	text  string
	start bool
}

// side is one end of the model: its session, the durable copy of it, what is on its way to it, and what it has opened.
type side struct {
	session *cryptobox.Session
	stored  []byte
	inbound []flight
	opened  map[string]int
	sent    int
}

func (s *side) commit() { s.stored = s.session.Marshal() }

// lossyPair is two sides over a network that loses, reorders and doubles, with crashes between any two durable steps.
type lossyPair struct {
	*rapid.T
	conversation *conversation
	alice, bob   side
}

// seal makes a message durable before it goes out (R5).
func (p *lossyPair) seal(from, to *side, name string) {
	if from.session == nil || !from.session.CanSend() || from.sent == 50 {
		return
	}
	text := fmt.Sprint(name, from.sent)
	started := from.session.Started()
	sealed, err := from.session.Encrypt(nil, []byte(text))
	if err != nil {
		p.Fatal(err)
	}
	from.commit()
	from.sent++
	to.inbound = append(to.inbound, flight{sealed, text, started})
}

// deliver takes any message that is on its way; it may stay on its way and come again.
func (p *lossyPair) deliver(to *side) {
	if len(to.inbound) == 0 {
		return
	}
	at := rapid.IntRange(0, len(to.inbound)-1).Draw(p.T, "which")
	came := to.inbound[at]
	if !rapid.Bool().Draw(p.T, "comes again") {
		to.inbound = append(to.inbound[:at], to.inbound[at+1:]...)
	}
	if rapid.IntRange(0, 9).Draw(p.T, "lost") == 0 {
		return
	}
	p.open(to, came)
}

func (p *lossyPair) open(to *side, came flight) {
	message := came.bytes
	if came.start {
		preamble, rest, err := cryptobox.ParseStart(came.bytes)
		if err != nil {
			p.Fatal(err)
		}
		message = rest
		if to.session == nil {
			b := p.conversation.replier
			to.session = must(cryptobox.AcceptSession(b.agreement, b.Member, p.conversation.starter.Member, preamble, b.private))
		}
	}
	if to.session == nil {
		return
	}
	got, err := to.session.Decrypt(nil, sentAt, message)
	switch {
	case to.opened[came.text] > 0 || err != nil:
		if !errors.Is(err, cryptobox.ErrKeyUsed) && !errors.Is(err, cryptobox.ErrForged) || got != nil {
			p.Fatalf("%s opened again, or fails otherwise: %q, %v", came.text, got, err)
		}
		if to.opened[came.text] == 0 && !p.mayBeLost(to, err) {
			p.Fatalf("%s does not open: %v", came.text, err)
		}
	case string(got) != came.text:
		p.Fatalf("%s opened as %q", came.text, got)
	case rapid.IntRange(0, 4).Draw(p.T, "crash before the commit") == 0:
		p.restore(to) // not acknowledged: it comes again
		to.inbound = append(to.inbound, came)
	default:
		to.opened[came.text]++
		to.commit()
	}
}

// mayBeLost: only a message from a chain that was more than MaxChains turns ago may stay closed.
func (p *lossyPair) mayBeLost(to *side, err error) bool {
	_, chains := to.session.KeptKeys()
	return chains == cryptobox.MaxChains && errors.Is(err, cryptobox.ErrForged)
}

// restore is a crash: what was not durable is gone.
func (p *lossyPair) restore(s *side) {
	if s.stored == nil {
		s.session = nil
		return
	}
	s.session = must(cryptobox.ParseSession(s.stored))
}

// TestSessionOverALossyNetwork_R5: what opens is what was sealed, at most once; what was not too far gone opens.
func TestSessionOverALossyNetwork_R5(t *testing.T) {
	c := start(t)
	state := c.alice.Marshal()
	rapid.Check(t, func(rt *rapid.T) {
		p := &lossyPair{T: rt, conversation: c}
		p.alice = side{session: must(cryptobox.ParseSession(state)), stored: state, opened: map[string]int{}}
		p.bob = side{opened: map[string]int{}}
		rt.Repeat(map[string]func(*rapid.T){
			"alice sends":   func(*rapid.T) { p.seal(&p.alice, &p.bob, "a") },
			"bob sends":     func(*rapid.T) { p.seal(&p.bob, &p.alice, "b") },
			"alice gets":    func(*rapid.T) { p.deliver(&p.alice) },
			"bob gets":      func(*rapid.T) { p.deliver(&p.bob) },
			"alice crashes": func(*rapid.T) { p.restore(&p.alice) },
			"bob crashes":   func(*rapid.T) { p.restore(&p.bob) },
		})
		for _, s := range []*side{&p.alice, &p.bob} {
			for text, times := range s.opened {
				if times != 1 {
					rt.Fatalf("%s opened %d times", text, times)
				}
			}
		}
	})
}

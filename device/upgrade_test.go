package device

import (
	"errors"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// upgrade publishes, and learns what it has published.
func (p *party) upgrade() {
	p.t.Helper()
	step := p.step(func(h Host) (Step, error) { return h.TakeSessions() })
	p.lists[p.User] = append(p.lists[p.User], step.Requests[0].(*PublishList).Statement)
	if alarm := p.fetch(p.answer(&FetchUser{User: p.User, Since: uint32(len(p.lists[p.User]) - 1)})); alarm != nil {
		p.t.Fatalf("alarm %+v", alarm)
	}
	if step := p.step(func(h Host) (Step, error) { return h.TakeSessions() }); len(step.Requests) > 0 {
		p.t.Fatalf("asks for more: %+v", step.Requests)
	}
	p.upload()
}

// Two devices of the first release go over to sessions, keep their history, and take no box any more (B3, S4.4).
func TestUpgradeFromBoxesToSessions(t *testing.T) {
	a := newAttack(t)
	a.bob.receive(a.envelope)
	a.bob.send(a.alice.User, "in a box")
	late := a.alice.mail()[0]
	a.alice.upgrade()
	if reason := refusal(a.alice.receive(late)); reason != Downgrade {
		t.Fatalf("a box afterwards: refused for %q, want %q", reason, Downgrade)
	}
	if m := a.alice.send(a.bob.User, "hello"); m.Failure != RecipientNeedsBox {
		t.Fatalf("message %+v: bob takes boxes alone", m)
	}
	a.bob.upgrade()
	if m := a.alice.send(a.bob.User, "in a session"); m.State != Sent {
		// Alice holds bob's list of before; the server says that it has changed.
		t.Fatalf("message %+v, want it sent", m)
	}
	a.bob.takeIn()
	a.bob.wants(a.alice.User, "meet at nine", "in a box", "in a session")
	if k := must(a.bob.host().keys()); len(k.Box) > 0 {
		t.Fatal("the box key is still there")
	}
}

func TestUpgradeNeedsTheUserKey_S5(t *testing.T) {
	w := newWorld(t, 3)
	tablet := w.join().addDevice(identity.ProtocolBox)
	if _, err := tablet.host().TakeSessions(); !errors.Is(err, ErrNoUserKey) {
		t.Fatalf("error %v, want ErrNoUserKey", err)
	}
}

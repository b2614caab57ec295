package device

import (
	"errors"
	"slices"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

func (p *party) blocks(user identity.UserID) {
	p.t.Helper()
	p.step(func(h Host) (Step, error) { return h.Block(user) })
}

func (p *party) unblocks(user identity.UserID) {
	p.t.Helper()
	p.step(func(h Host) (Step, error) { return h.Unblock(user) })
}

// Whatever a server lets through in the name of a blocked user is acknowledged and goes nowhere; afterwards messages come again.
func TestBlockedUserIsNotHeard(t *testing.T) {
	w := newWorld(t, 1)
	alice, bob := w.joinWith(identity.ProtocolSession), w.joinWith(identity.ProtocolSession)
	bob.sent(alice.User, "before")
	alice.takeIn()
	alice.blocks(bob.User)
	bob.sent(alice.User, "while blocked")
	alice.takeIn()
	alice.wants(bob.User, "before")
	if refusals := must(alice.host().Refusals(0, 10)); len(refusals) > 0 {
		t.Errorf("refusals are shown: %+v", refusals)
	}
	alice.unblocks(bob.User)
	bob.sent(alice.User, "after")
	alice.takeIn()
	alice.wants(bob.User, "before", "after")
	messages := must(alice.host().History(bob.User, 0, 10))
	if n := len(messages); n != 2 || messages[1].Missing != 1 {
		t.Errorf("the history has %d messages, and the last says that %d before it are missing", n, messages[n-1].Missing)
	}
}

func TestNothingIsSentToABlockedUser(t *testing.T) {
	w := newWorld(t, 2)
	alice, bob := w.joinWith(identity.ProtocolSession), w.joinWith(identity.ProtocolSession)
	alice.names("bob", bob.User)
	alice.step(func(h Host) (Step, error) {
		step, _, err := h.Compose(bob.User, "queued")
		return step, err
	})
	alice.blocks(bob.User)
	alice.cannotSend(bob.User, ErrBlocked)
	if _, err := alice.host().NextSend(bob.User); !errors.Is(err, ErrBlocked) {
		t.Errorf("what was queued: %v", err)
	}
	if err := must(alice.host().Trust(bob.User)).MaySend(); !errors.Is(err, ErrBlocked) {
		t.Errorf("Trust: %v", err)
	}
}

// A server is told of the last list, and of it alone, each server for itself; one that has lost everything is told again.
func TestServersAreToldWhoIsBlocked(t *testing.T) {
	w := newWorld(t, 3)
	alice, bob, carol := w.join(), w.join(), w.join()
	told := func() []identity.UserID {
		t.Helper()
		request := must(alice.host().BlocksToSet())
		if request == nil {
			return nil
		}
		alice.step(func(h Host) (Step, error) { return h.BlockedSet(request.Version) })
		return request.Users
	}
	if users := told(); users != nil {
		t.Errorf("a server is told of %v, and nobody was ever blocked", users)
	}
	alice.blocks(bob.User)
	alice.blocks(carol.User)
	alice.blocks(bob.User)
	if users := told(); !slices.Equal(users, []identity.UserID{bob.User, carol.User}) {
		t.Errorf("told %v", users)
	}
	if users := told(); users != nil {
		t.Errorf("told %v again", users)
	}
	alice.unblocks(bob.User)
	alice.unblocks(bob.User)
	if users := told(); !slices.Equal(users, []identity.UserID{carol.User}) {
		t.Errorf("told %v, want Carol", users)
	}
	alice.step(func(h Host) (Step, error) { return h.Registered(true) })
	alice.step(func(h Host) (Step, error) { return h.Registered(false) })
	if users := told(); !slices.Equal(users, []identity.UserID{carol.User}) {
		t.Errorf("a server that has lost everything is told %v, want Carol", users)
	}
}

func TestBlockRefuses(t *testing.T) {
	w := newWorld(t, 4)
	alice := w.join()
	if _, err := alice.host().Block(alice.User); !errors.Is(err, ErrBlockSelf) {
		t.Errorf("oneself: %v", err)
	}
	for i := range maxBlocked {
		alice.blocks(identity.UserID{1, byte(i), byte(i >> 8)})
	}
	if _, err := alice.host().Block(identity.UserID{2}); !errors.Is(err, ErrBlockedFull) {
		t.Errorf("one too many: %v", err)
	}
	if n := len(must(alice.host().Blocked())); n != maxBlocked {
		t.Errorf("%d are blocked", n)
	}
}

// A stranger's first message is a request until one answers, names them, or blocks them; nobody else's is.
func TestFirstMessageOfAStrangerIsARequest(t *testing.T) {
	w := newWorld(t, 5)
	alice := w.joinWith(identity.ProtocolSession)
	request := func(of *party) bool {
		t.Helper()
		return must(alice.host().IsRequest(of.User))
	}
	for name, accept := range map[string]func(bob *party){
		"answered": func(bob *party) { alice.sent(bob.User, "who are you?") },
		"named":    func(bob *party) { alice.names("bob", bob.User) },
		"blocked":  func(bob *party) { alice.blocks(bob.User) },
	} {
		bob := w.joinWith(identity.ProtocolSession)
		if request(bob) {
			t.Errorf("%s: somebody who has written nothing is a request", name)
		}
		for range 2 {
			bob.sent(alice.User, "hello")
			alice.takeIn()
			if !request(bob) {
				t.Errorf("%s: a stranger is no request", name)
			}
		}
		if accept(bob); request(bob) {
			t.Errorf("%s: still a request", name)
		}
	}
}

package directory_test

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

func TestRegisterStoresUserListAndDevice(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice := newNode(t, db, newClock()), newPerson(t)
		user, device := n.register(alice)
		if user.ID != alice.id() || user.ListVersion != 1 || len(user.Lists) != 1 ||
			!bytes.Equal(user.Lists[0].Statement, alice.head.Statement()) {
			t.Errorf("user %+v", user)
		}
		want := directory.Device{
			ID: alice.first.device(), User: alice.id(), SigningKey: alice.first.PublicKey(), ListVersion: 1, CreatedAt: start,
		}
		if device != want {
			t.Errorf("device %+v, want %+v", device, want)
		}
		if caller, _, err := n.Authenticate(t.Context(), alice.token(alice.first), origins); err != nil || caller != want {
			t.Errorf("authenticated %+v, %v", caller, err)
		}
		if len(n.boxes.moves) != 1 || n.boxes.moves[0].version != 1 || !slices.Equal(n.boxes.moves[0].added, []identity.DeviceID{want.ID}) {
			t.Errorf("mailboxes were told %+v", n.boxes.moves)
		}
	})
}

func TestRegisterAgainGivesTheSameAnswer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice := newNode(t, db, newClock()), newPerson(t)
		first, firstDevice := n.register(alice)
		again, againDevice := n.register(alice)
		if again.ListVersion != first.ListVersion || firstDevice != againDevice || len(n.boxes.moves) != 1 {
			t.Errorf("first %+v, again %+v, mailboxes were told %d times", first, again, len(n.boxes.moves))
		}
		statement := alice.head.Statement()
		second := newKey()
		n.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first, second))
		user, _, err := n.Register(t.Context(), alice.userKey(), statement, alice.token(alice.first), "", origins)
		if err != nil || user.ListVersion != 2 || !bytes.Equal(user.Lists[0].Statement, statement) {
			t.Errorf("after a publication: %+v, %v", user, err)
		}
		n.mustPublish(alice, second, alice.sign(second, second))
		_, _, err = n.Register(t.Context(), alice.userKey(), statement, alice.token(alice.first), "", origins)
		wantCode(t, err, problem.DeviceRemoved)
	})
}

func TestRegisterRefuses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice, bob := newNode(t, db, newClock()), newPerson(t), newPerson(t)
		n.register(bob)
		statement := alice.head.Statement()
		flipped := func(i int) []byte {
			changed := slices.Clone(statement)
			changed[(i+len(changed))%len(changed)] ^= 1
			return changed
		}
		second := newKey()
		later := newPerson(t)
		later.sign(later.first, later.first, second)
		thief := newPerson(t) // puts a device of bob on a list of its own
		thief.first, thief.head = bob.first, nil
		thief.sign(bob.first, bob.first)
		otherList := *bob // another version 1 of bob
		otherList.first, otherList.head = newKey(), nil
		otherList.sign(otherList.first, otherList.first)
		wrongOrigin, err := identity.NewToken(alice.first, alice.id(), "https://elsewhere.example", start)
		if err != nil {
			t.Fatal(err)
		}
		good := alice.token(alice.first)
		for _, c := range []struct {
			name            string
			user, statement []byte
			token           string
			want            problem.Code
		}{
			{"short user key", alice.userKey()[:31], statement, good, problem.BadInput},
			{"no user key", nil, statement, good, problem.BadInput},
			{"S2.1 user key of small order", make([]byte, 32), statement, good, problem.StatementInvalid},
			{"S3.1 list of another user key", bob.userKey(), statement, good, problem.StatementInvalid},
			{"no list", alice.userKey(), nil, good, problem.StatementInvalid},
			{"trailing byte", alice.userKey(), append(slices.Clone(statement), 0), good, problem.StatementInvalid},
			{"very long", alice.userKey(), make([]byte, 1<<20), good, problem.StatementInvalid},
			{"S3.1 user's signature", alice.userKey(), flipped(-70), good, problem.StatementInvalid},
			{"S3.1 author's signature", alice.userKey(), flipped(-1), good, problem.StatementInvalid},
			{"S4.1 entry", alice.userKey(), flipped(200), good, problem.StatementInvalid},
			{"S3.2 version 2 at first", later.userKey(), later.head.Statement(), later.token(later.first), problem.StatementInvalid},
			{"S6.6 no token", alice.userKey(), statement, "", problem.Unauthenticated},
			{"S6.6 token of another device", alice.userKey(), statement, bob.token(bob.first), problem.Unauthenticated},
			{"S6.6 token for another user", alice.userKey(), statement, bob.token(alice.first), problem.Unauthenticated},
			{"S6.3 token for another server", alice.userKey(), statement, wrongOrigin, problem.Unauthenticated},
			{"device of another user", thief.userKey(), thief.head.Statement(), thief.token(bob.first), problem.AlreadyRegistered},
			{"another first list", bob.userKey(), otherList.head.Statement(), otherList.token(otherList.first), problem.AlreadyRegistered},
		} {
			t.Run(c.name, func(t *testing.T) {
				_, _, err := n.Register(t.Context(), c.user, c.statement, c.token, "", origins)
				wantCode(t, err, c.want)
			})
		}
		if users := db.Ent.User.Query().CountX(t.Context()); users != 1 {
			t.Errorf("%d users are stored; only bob was registered", users)
		}
		if devices := db.Ent.Device.Query().CountX(t.Context()); devices != 1 {
			t.Errorf("%d devices are stored; only bob's was registered", devices)
		}
	})
}

func TestRegisterIsUndoneIfMailboxesFail(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice := newNode(t, db, newClock()), newPerson(t)
		n.boxes.fail = errors.New("disk full")
		_, _, err := n.Register(t.Context(), alice.userKey(), alice.head.Statement(), alice.token(alice.first), "", origins)
		wantCode(t, err, problem.StoreUnavailable)
		if user, err := n.User(t.Context(), alice.id(), 0); user != nil || err != nil {
			t.Errorf("user %+v, %v", user, err)
		}
		n.boxes.fail = nil
		n.register(alice)
	})
}

func TestRegisterAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		clock, alice := newClock(), newPerson(t)
		nodes := []*node{newNode(t, db, clock), newNode(t, testdb.Reopen(t, db), clock)}
		rival := *alice // the same user key on another device
		rival.first, rival.head = newKey(), nil
		rival.sign(rival.first, rival.first)

		const each = 4
		failures := make(chan error, 2*each)
		won := make(chan identity.DeviceID, 2*each)
		var wait sync.WaitGroup
		for i := range each {
			for _, p := range []*person{alice, &rival} {
				statement, token := p.head.Statement(), p.token(p.first)
				wait.Go(func() {
					_, device, err := nodes[i%2].Register(t.Context(), p.userKey(), statement, token, "", origins)
					if err != nil {
						failures <- err
						return
					}
					won <- device.ID
				})
			}
		}
		wait.Wait()
		close(failures)
		close(won)
		if len(won) != each || len(failures) != each {
			t.Errorf("%d succeeded and %d failed; of two lists, one wins every time", len(won), len(failures))
		}
		for err := range failures {
			wantCode(t, err, problem.AlreadyRegistered)
		}
		winner := <-won
		for other := range won {
			if other != winner {
				t.Errorf("%s and %s were both registered", winner, other)
			}
		}
	})
}

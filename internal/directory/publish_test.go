package directory_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

func TestPublishAddsAndRemovesDevices(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice := newNode(t, db, newClock()), newPerson(t)
		n.register(alice)
		second, third := newKey(), newKey()
		n.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first, second))
		user := n.mustPublish(alice, second, alice.sign(alice.first, second, third))
		if user.ListVersion != 3 || len(user.Lists) != 1 || !bytes.Equal(user.Lists[0].Statement, alice.head.Statement()) {
			t.Errorf("published %+v", user)
		}
		last := n.boxes.moves[len(n.boxes.moves)-1]
		if last.user != alice.id() || last.version != 3 || !slices.Equal(last.added, []identity.DeviceID{third.device()}) ||
			!slices.Equal(last.removed, []identity.DeviceID{alice.first.device()}) {
			t.Errorf("mailboxes were told %+v", last)
		}
		if !slices.Equal(n.boxes.closed, []identity.DeviceID{alice.first.device()}) {
			t.Errorf("closed: %v", n.boxes.closed)
		}
		for _, k := range []key{second, third} {
			caller, _, err := n.Authenticate(t.Context(), alice.token(k), origins)
			if err != nil || caller.ListVersion != 3 {
				t.Errorf("authenticated %+v, %v", caller, err)
			}
		}
		_, _, err := n.Authenticate(t.Context(), alice.token(alice.first), origins)
		wantCode(t, err, problem.DeviceRemoved)
	})
}

// A chain takes the longer to verify the longer it is. Who has a long one, and publishes over and over, keeps nobody else from it.
func TestPublishingWaitsForNoOtherUsersQueue(t *testing.T) {
	db := testdb.Open(t, database.SQLite)
	n, mallory, alice := newNode(t, db, newClock()), newPerson(t), newPerson(t)
	n.register(mallory)
	n.register(alice)
	for range 40 {
		n.mustPublish(mallory, mallory.first, mallory.sign(mallory.first, mallory.first))
	}
	const many = 100
	caller, next := n.caller(mallory, mallory.first), alice.sign(alice.first, alice.first, newKey())
	var begun, calls sync.WaitGroup
	var left atomic.Int64
	left.Store(many)
	for range many {
		begun.Add(1)
		calls.Go(func() {
			begun.Done()
			_, err := n.Publish(t.Context(), caller, []byte("nonsense"))
			left.Add(-1)
			wantCode(t, err, problem.StatementInvalid)
		})
	}
	begun.Wait()
	n.mustPublish(alice, alice.first, next)
	if left.Load() == 0 {
		t.Errorf("all %d calls of another user went before", many)
	}
	calls.Wait()
}

func TestPublishAgainGivesTheSameAnswer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice := newNode(t, db, newClock()), newPerson(t)
		n.register(alice)
		second := alice.sign(alice.first, alice.first, newKey())
		for range 2 {
			user := n.mustPublish(alice, alice.first, second)
			if user.ListVersion != 2 || user.Lists[0].Version != 2 || !bytes.Equal(user.Lists[0].Statement, second) {
				t.Errorf("published %+v", user)
			}
		}
		n.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first))
		user := n.mustPublish(alice, alice.first, second)
		if user.ListVersion != 3 || user.Lists[0].Version != 2 || !bytes.Equal(user.Lists[0].Statement, second) {
			t.Errorf("after the next version: %+v", user)
		}
		if len(n.boxes.moves) != 3 {
			t.Errorf("mailboxes were moved %d times", len(n.boxes.moves))
		}
	})
}

func TestPublishRefuses(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice, bob := newNode(t, db, newClock()), newPerson(t), newPerson(t)
		n.register(alice)
		n.register(bob)
		gone, second := newKey(), newKey()
		n.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first, gone))
		older := alice.head
		n.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first, second))

		good := alice.draft(alice.first, alice.first, second, newKey())
		forged := slices.Clone(good)
		forged[len(forged)-1] ^= 1
		ahead, rewound, pretender := *alice, *alice, *alice
		ahead.sign(alice.first, alice.first, second, newKey())
		rewound.head = older
		pretended := *alice.head // as if the version before named the device that is gone
		pretended.Entries = older.Entries
		pretender.head = &pretended
		changed := *alice // the second device with another agreement key
		changed.entries = map[identity.DeviceID]identity.Entry{}
		for _, c := range []struct {
			name      string
			statement []byte
			want      problem.Code
		}{
			{"no list", nil, problem.StatementInvalid},
			{"S3.1 signature", forged, problem.StatementInvalid},
			{"S3.1 list of another user", bob.draft(bob.first, bob.first), problem.StatementInvalid},
			{"S3.2 author not on the version before", pretender.draft(gone, alice.first), problem.StatementInvalid},
			{"S3.3 version skipped", ahead.draft(alice.first, alice.first), problem.ListConflict},
			{"S3.4 another list with the version that holds", rewound.draft(alice.first, alice.first), problem.ListConflict},
			{"S3.5 list that was signed for an older version", rewound.draft(gone, alice.first), problem.ListConflict},
			{"S4.4 agreement key changed", changed.draft(alice.first, alice.first, second), problem.StatementInvalid},
			{"S4.4 removed device comes back", alice.draft(alice.first, alice.first, gone), problem.StatementInvalid},
			{"S6.6 caller not on the new list", alice.draft(alice.first, second), problem.StatementInvalid},
			{"device of another user", alice.draft(alice.first, alice.first, second, bob.first), problem.AlreadyRegistered},
			{"too many devices", alice.draft(alice.first, alice.first, second, newKey(), newKey(), newKey()), problem.BadInput},
		} {
			t.Run(c.name, func(t *testing.T) {
				user, err := n.publish(alice, alice.first, c.statement)
				wantCode(t, err, c.want)
				if user != nil {
					t.Errorf("gave %+v with the error", user)
				}
			})
		}
		if user, err := n.User(t.Context(), alice.id(), 0); err != nil || user.ListVersion != 3 || len(user.Lists) != 3 {
			t.Errorf("a refusal left a trace: %+v, %v", user, err)
		}
		_, err := n.publish(alice, gone, good)
		wantCode(t, err, problem.DeviceRemoved)
		n.mustPublish(alice, alice.first, good)
	})
}

func TestPublishTellsWhichVersionHolds(t *testing.T) {
	db := testdb.Open(t, database.SQLite)
	n, alice := newNode(t, db, newClock()), newPerson(t)
	n.register(alice)
	stale := alice.draft(alice.first, alice.first, newKey())
	n.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first))
	_, err := n.publish(alice, alice.first, stale)
	wantCode(t, err, problem.ListConflict)
	if !strings.Contains(err.Error(), "Version 2 holds") || !strings.Contains(err.Error(), "S3.4") {
		t.Errorf("message: %v", err)
	}
}

func TestPublishMayShortenAListThatIsTooLong(t *testing.T) {
	db := testdb.Open(t, database.SQLite)
	clock, alice := newClock(), newPerson(t)
	n := newNode(t, db, clock)
	n.register(alice)
	devices := []key{alice.first, newKey(), newKey(), newKey()}
	n.mustPublish(alice, alice.first, alice.sign(alice.first, devices...))
	strict := &node{directory.New(db, n.boxes, directory.Options{MaxDevices: 2, Now: clock.Now}), t, n.boxes, clock}
	_, err := strict.publish(alice, alice.first, alice.draft(alice.first, append(devices, newKey())...))
	wantCode(t, err, problem.BadInput)
	strict.mustPublish(alice, alice.first, alice.sign(alice.first, devices[:3]...))
}

func TestPublishIsUndoneIfMailboxesFail(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice := newNode(t, db, newClock()), newPerson(t)
		n.register(alice)
		next := alice.draft(alice.first, alice.first, newKey())
		n.boxes.fail = errors.New("disk full")
		_, err := n.publish(alice, alice.first, next)
		wantCode(t, err, problem.StoreUnavailable)
		n.boxes.fail = nil
		if user, err := n.User(t.Context(), alice.id(), 0); err != nil || user.ListVersion != 1 || len(user.Lists) != 1 {
			t.Errorf("user %+v, %v", user, err)
		}
		n.mustPublish(alice, alice.first, next)
	})
}

func TestPublishAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		clock, alice := newClock(), newPerson(t)
		nodes := []*node{newNode(t, db, clock), newNode(t, testdb.Reopen(t, db), clock)}
		nodes[0].register(alice)
		for round := range 5 {
			drafts := [][]byte{alice.draft(alice.first, alice.first, newKey()), alice.draft(alice.first, alice.first)}
			failures := make([]error, len(drafts))
			var wait sync.WaitGroup
			for i, draft := range drafts {
				wait.Go(func() { _, failures[i] = nodes[i].publish(alice, alice.first, draft) })
			}
			wait.Wait()
			winner := slices.Index(failures, nil)
			if winner < 0 || failures[1-winner] == nil {
				t.Fatalf("round %d: %v; one of two wins", round, failures)
			}
			wantCode(t, failures[1-winner], problem.ListConflict)
			list, err := identity.ParseDeviceList(drafts[winner])
			if err != nil {
				t.Fatal(err)
			}
			alice.head = list
			user, err := nodes[1-winner].User(t.Context(), alice.id(), list.Version-1)
			if err != nil || len(user.Lists) != 1 || !bytes.Equal(user.Lists[0].Statement, drafts[winner]) {
				t.Fatalf("round %d: the store holds %+v, %v", round, user, err)
			}
		}
	})
}

func TestUserGivesTheChainInPages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice := newNode(t, db, newClock()), newPerson(t)
		if user, err := n.User(t.Context(), alice.id(), 0); user != nil || err != nil {
			t.Fatalf("nobody has registered: %+v, %v", user, err)
		}
		n.register(alice)
		const versions = directory.ListsPerCall + 3
		storeLists(t, db, alice, directory.ListsPerCall)
		for range 3 {
			n.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first))
		}
		chain := identity.NewChain(alice.id())
		for _, want := range []int{directory.ListsPerCall, 3, 0} {
			user, err := n.User(t.Context(), alice.id(), chain.Version())
			if err != nil || user.ListVersion != versions || len(user.Lists) != want {
				t.Fatalf("after version %d: %s", chain.Version(), describe(user, err))
			}
			for _, list := range user.Lists {
				if err := chain.Extend(list.Statement); err != nil || chain.Version() != list.Version {
					t.Fatalf("version %d: %v", list.Version, err)
				}
			}
		}
		if user, err := n.User(t.Context(), alice.id(), 1<<32-1); err != nil || len(user.Lists) != 0 {
			t.Errorf("after a version far ahead: %s", describe(user, err))
		}
	})
}

// storeLists stores the next lists of a person up to a version, without the price of publishing each of them.
func storeLists(t *testing.T, db *database.DB, p *person, last uint32) {
	t.Helper()
	var rows []*ent.DeviceListCreate
	for p.head.Version < last {
		statement := p.sign(p.first, p.first)
		rows = append(rows, db.Ent.DeviceList.Create().SetUserID(p.id().String()).SetVersion(p.head.Version).SetStatement(statement).SetCreatedAt(0))
	}
	if err := db.Ent.DeviceList.CreateBulk(rows...).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Ent.User.UpdateOneID(p.id().String()).SetListVersion(last).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func describe(user *directory.User, err error) string {
	if user == nil {
		return fmt.Sprintf("no user, %v", err)
	}
	return fmt.Sprintf("version %d, %d lists, %v", user.ListVersion, len(user.Lists), err)
}

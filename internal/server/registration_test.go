package server_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// tryRegister registers a person, by an invite if there is one.
func tryRegister(t *testing.T, s *testserver.Server, p *testserver.Person, invite string) *testserver.Answer {
	t.Helper()
	input := p.Registration()
	if invite != "" {
		input["invite"] = invite
	}
	return s.Query(t, p.Devices[0].Token(s.URL), testserver.RegisterKey, map[string]any{"input": input})
}

func issue(t *testing.T, db *database.DB, lifetime time.Duration, now func() time.Time) string {
	t.Helper()
	code, err := invites.New(db, invites.Invite, now).Issue(t.Context(), lifetime)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func users(t *testing.T, db *database.DB) int {
	t.Helper()
	n, err := db.Ent.User.Query().Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRegistrationByInvite(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		now := &clock{now: time.Now()}
		s := testserver.Start(t, testserver.Options{DB: db, Registration: invites.Invite, Now: now.Now})
		code := issue(t, db, time.Hour, now.Now)
		alice := testserver.NewPerson(t)
		for name, bad := range map[string]string{
			"none": "", "a word": "please", "another": "i" + strings.Repeat("a", 26), "cut off": code[:len(code)-1],
			"too long": code + "a", "without its first letter": code[1:], "endless": strings.Repeat("i", 10_000), "not UTF-8": "i\xff",
		} {
			if answer := tryRegister(t, s, alice, bad); answer.Code() != "INVITE_REQUIRED" {
				t.Errorf("%s: %s", name, answer.Body)
			}
		}
		if n := users(t, db); n != 0 {
			t.Fatalf("%d users without an invite", n)
		}
		// As people type it.
		if answer := tryRegister(t, s, alice, " "+strings.ToUpper(code)+"\n"); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
		// The same again is the same, whatever has become of the invite; for somebody else it is used.
		for _, again := range []string{code, ""} {
			if answer := tryRegister(t, s, alice, again); answer.Code() != "" {
				t.Errorf("again with %q: %s", again, answer.Body)
			}
		}
		if answer := tryRegister(t, s, testserver.NewPerson(t), code); answer.Code() != "INVITE_REQUIRED" {
			t.Errorf("a used invite: %s", answer.Body)
		}
		late := issue(t, db, 5*time.Minute, now.Now)
		now.forward(5*time.Minute + time.Second)
		if answer := tryRegister(t, s, testserver.NewPerson(t), late); answer.Code() != "INVITE_REQUIRED" {
			t.Errorf("an expired invite: %s", answer.Body)
		}
		if n := users(t, db); n != 1 {
			t.Errorf("%d users", n)
		}
	})
}

// A registration that fails leaves its invite good.
func TestRefusedRegistrationUsesNoInvite(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db, Registration: invites.Invite})
		code, p := issue(t, db, time.Hour, time.Now), testserver.NewPerson(t)
		stranger := testserver.NewPerson(t).Devices[0].Token(s.URL)
		input := p.Registration()
		input["invite"] = code
		answer := s.Query(t, stranger, testserver.RegisterKey, map[string]any{"input": input})
		if answer.Code() != "UNAUTHENTICATED" {
			t.Fatal(answer.Body)
		}
		if answer := tryRegister(t, s, p, code); answer.Code() != "" {
			t.Error(answer.Body)
		}
	})
}

func TestOneInviteLetsOneIn(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db, Registration: invites.Invite})
		code := issue(t, db, time.Hour, time.Now)
		var together sync.WaitGroup
		for range 8 {
			p := testserver.NewPerson(t)
			together.Go(func() { tryRegister(t, s, p, code) })
		}
		together.Wait()
		if n := users(t, db); n != 1 {
			t.Errorf("%d users by one invite", n)
		}
	})
}

// Of an invite the store holds a hash, and nothing once it was used or has expired.
func TestInvitesLeaveNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		now := &clock{now: time.Now()}
		all := invites.New(db, invites.Invite, now.Now)
		code := issue(t, db, time.Hour, now.Now)
		for _, row := range db.Ent.Invite.Query().AllX(t.Context()) {
			if len(row.Hash) != 32 || strings.Contains(row.String(), code[1:]) {
				t.Errorf("the store holds %v", row)
			}
		}
		now.forward(2 * time.Hour)
		if err := all.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		used := issue(t, db, time.Hour, now.Now)
		err := db.Write(t.Context(), "test", func(ctx context.Context, tx *ent.Tx) error { return all.Admit(ctx, tx, used) })
		if err != nil {
			t.Fatal(err)
		}
		if n := db.Ent.Invite.Query().CountX(t.Context()); n != 0 {
			t.Errorf("%d invites are left", n)
		}
	})
}

func TestClosedRegistration(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		open := testserver.Start(t, testserver.Options{DB: db})
		alice := open.Register(t)
		code := issue(t, db, time.Hour, time.Now)
		closed := testserver.Start(t, testserver.Options{DB: db, Registration: invites.Closed})
		if answer := tryRegister(t, closed, testserver.NewPerson(t), code); answer.Code() != "REGISTRATION_CLOSED" {
			t.Error(answer.Body)
		}
		if answer := tryRegister(t, closed, alice, ""); answer.Code() != "" {
			t.Errorf("who is registered already: %s", answer.Body)
		}
		for want, s := range map[string]*testserver.Server{"OPEN": open, "CLOSED": closed} {
			var data struct{ Server struct{ Registration string } }
			s.Query(t, "", `{ server { registration } }`, nil).Into(t, &data)
			if data.Server.Registration != want {
				t.Errorf("registration is %s, want %s", data.Server.Registration, want)
			}
		}
	})
}

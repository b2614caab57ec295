package database_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// A store that any release before has filled is migrated at the start, and everything in it is there and holds.
func TestUpgradeFromEveryVersionBefore(t *testing.T) {
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		t.Run(string(dialect), func(t *testing.T) {
			p := newPast(t, dialect)
			for version := int64(1); version < database.Newest(); version++ {
				t.Run(fmt.Sprint("from ", version), func(t *testing.T) {
					config, tables := p.at(t, version)
					s := p.start(t, testdb.OpenConfig(t, config), invites.Open)
					p.messagesAreThere(t, s)
					p.newOnesCome(t, s)
					for table, holds := range map[string]func(*testing.T, *testserver.Server){
						"sends": p.oldSendIsRemembered, "prekeys": p.prekeysAreClaimed, "deleted_ids": p.deletedStaysDeleted, "blocks": p.blockHolds,
						"link_messages": p.linkMessageIsThere, "rates": p.householdIsLimited,
					} {
						if slices.Contains(tables, table) {
							holds(t, s)
						}
					}
					s.Register(t)
					if err := s.Stop(); err != nil {
						t.Fatal(err)
					}
					if slices.Contains(tables, "invites") {
						p.inviteIsGood(t, config)
					}
				})
			}
		})
	}
}

// messagesAreThere expects what waits, and a subscription that goes on behind a cursor of before.
func (p *past) messagesAreThere(t *testing.T, s *testserver.Server) {
	t.Helper()
	b := p.bob.Devices[0]
	if got := waiting(t, s, b); !slices.Equal(got, p.cursors[1:]) {
		t.Errorf("%v wait, want %v", got, p.cursors[1:])
	}
	if got := waiting(t, s, p.bob.Devices[1]); len(got) != len(p.cursors) {
		t.Errorf("%d wait for the other device, want %d", len(got), len(p.cursors))
	}
	socket := p.resume(t, s)
	defer func() { _ = socket.Conn.Close() }()
	if got := next(t, socket); got != p.cursors[2] {
		t.Errorf("behind the cursor of before comes %s, want %s", got, p.cursors[2])
	}
	var data struct{ User struct{ ListVersion int } }
	s.Query(t, b.Token(s.URL), fmt.Sprintf(`{ user(id: %q) { listVersion } }`, p.bob.ID), nil).Into(t, &data)
	if data.User.ListVersion != 2 {
		t.Errorf("Bob's list has version %d", data.User.ListVersion)
	}
}

// resume subscribes behind the second message.
func (p *past) resume(t *testing.T, s *testserver.Server) *testserver.Socket {
	t.Helper()
	socket := s.Open(t, testserver.Modern, p.bob.Devices[0].Token(s.URL))
	socket.Start("1", testserver.Received, map[string]any{"after": p.cursors[1]})
	return socket
}

// next gives the cursor of the next message.
func next(t *testing.T, socket *testserver.Socket) string {
	t.Helper()
	var data struct{ MessageReceived struct{ Cursor string } }
	socket.Next().Into(t, &data)
	return data.MessageReceived.Cursor
}

func (p *past) newOnesCome(t *testing.T, s *testserver.Server) {
	t.Helper()
	socket := p.resume(t, s)
	defer func() { _ = socket.Conn.Close() }()
	next(t, socket)
	check(t, s.Send(t, "from after", p.alice.Devices[0], p.bob.Devices...))
	came, wait := next(t, socket), waiting(t, s, p.bob.Devices[0])
	if len(wait) != len(p.cursors) || came != wait[len(wait)-1] {
		t.Errorf("%s came, %v wait", came, wait)
	}
}

// oldSendIsRemembered repeats a send that was answered and acknowledged before.
func (p *past) oldSendIsRemembered(t *testing.T, s *testserver.Server) {
	t.Helper()
	before := waiting(t, s, p.bob.Devices[0])
	answer := s.Query(t, p.alice.Devices[0].Token(s.URL), testserver.SendMessage, p.first)
	if answer.Body != p.answered {
		t.Errorf("an old send is answered with %s, was %s", answer.Body, p.answered)
	}
	if after := waiting(t, s, p.bob.Devices[0]); !slices.Equal(after, before) {
		t.Errorf("it was stored again: %v wait, before %v", after, before)
	}
}

func (p *past) prekeysAreClaimed(t *testing.T, s *testserver.Server) {
	t.Helper()
	answer := s.Query(t, p.alice.Devices[0].Token(s.URL), testserver.ClaimPrekeys, map[string]any{"userId": p.bob.ID.String()})
	if check(t, answer); !strings.Contains(answer.Body, p.bob.Devices[0].ID()) {
		t.Errorf("prekeys: %s", answer.Body)
	}
}

func (p *past) deletedStaysDeleted(t *testing.T, s *testserver.Server) {
	t.Helper()
	answer := s.Query(t, p.gone.Devices[0].Token(s.URL), testserver.RegisterKey, map[string]any{"input": p.gone.Registration()})
	if answer.Code() != "DEVICE_REMOVED" {
		t.Errorf("who was deleted registers again: %s", answer.Body)
	}
}

func (p *past) blockHolds(t *testing.T, s *testserver.Server) {
	t.Helper()
	blocking, other := p.bob.Devices[0], p.bob.Devices[1]
	before, beforeOther := waiting(t, s, blocking), waiting(t, s, other)
	check(t, s.Send(t, "from Carol", p.carol.Devices[0], p.bob.Devices...))
	if got := waiting(t, s, blocking); !slices.Equal(got, before) {
		t.Errorf("what is blocked came: %v wait, before %v", got, before)
	}
	if got := waiting(t, s, other); len(got) != len(beforeOther)+1 {
		t.Errorf("for the device that blocks nobody %d wait, before %d", len(got), len(beforeOther))
	}
}

func (p *past) linkMessageIsThere(t *testing.T, s *testserver.Server) {
	t.Helper()
	var data struct{ LinkMessage string }
	s.Query(t, "", `{ linkMessage(slot: "AAAAAAAAAAAAAAAAAAAAAA", step: 0) }`, nil).Into(t, &data)
	if data.LinkMessage != "AAAA" {
		t.Errorf("the link message is %q", data.LinkMessage)
	}
}

func (p *past) householdIsLimited(t *testing.T, s *testserver.Server) {
	t.Helper()
	if answer := registerFrom(t, s, household, testserver.NewPerson(t)); answer.Code() != "RATE_LIMITED" {
		t.Errorf("an address that was at its limit: %s", answer.Body)
	}
}

// inviteIsGood starts a server that takes users by invite, and uses one of before: once.
func (p *past) inviteIsGood(t *testing.T, config database.Config) {
	t.Helper()
	s := p.start(t, testdb.OpenConfig(t, config), invites.Invite)
	for _, want := range []string{"", "INVITE_REQUIRED"} {
		someone := testserver.NewPerson(t)
		input := someone.Registration()
		input["invite"] = p.invite
		answer := s.Query(t, someone.Devices[0].Token(s.URL), testserver.RegisterKey, map[string]any{"input": input})
		if answer.Code() != want {
			t.Errorf("an invite of before: %s, want code %q", answer.Body, want)
		}
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}

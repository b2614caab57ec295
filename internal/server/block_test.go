package server_test

import (
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// block makes these the users that a device blocks, and gives how many there are.
func block(t *testing.T, s *testserver.Server, d *testserver.Device, people ...*testserver.Person) int {
	t.Helper()
	ids := []any{}
	for _, p := range people {
		ids = append(ids, p.ID.String())
	}
	var data struct{ SetBlockedUsers struct{ Count int } }
	s.Query(t, d.Token(s.URL), testserver.SetBlocked, map[string]any{"ids": ids}).Into(t, &data)
	return data.SetBlockedUsers.Count
}

// shown is an answer to sendMessage without what names this very send.
func shown(answer *testserver.Answer, input map[string]any) string {
	body := answer.Body
	if i := strings.Index(body, `"acceptedAt":"`); i >= 0 {
		body = body[:i] + body[i+len(`"acceptedAt":"2026-01-02T03:04:05.000006Z"`):]
	}
	id, _ := input["messageId"].(string)
	return strings.ReplaceAll(body, id, "ID")
}

// What a blocked user sends goes nowhere, and all that they see is as before. Others, and the user's other devices, are not concerned.
func TestBlockedUserIsNotDeliveredAndNotTold(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db})
		alice, bob, carol := s.Register(t), s.Register(t), s.Register(t)
		phone, laptop := alice.Devices[0], alice.NewDevice()
		if answer := s.Publish(t, alice, phone, laptop); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
		live := overSocket(t, s, testserver.Modern, phone.Token(s.URL), nil)
		send := func(from *testserver.Device) (map[string]any, string) {
			input := testserver.Message(t, "hello", from, phone, laptop)
			answer := s.Query(t, from.Token(s.URL), testserver.SendMessage, map[string]any{"input": input})
			answer.Into(t, &struct{}{})
			return input, shown(answer, input)
		}
		arrives := func(from *testserver.Device, input map[string]any) {
			t.Helper()
			if m := received(t, live.next()); m.MessageID != input["messageId"] || m.SenderDeviceID != from.ID() {
				t.Fatalf("received %+v, want what %s sent", m, from.ID())
			}
		}
		b, c := bob.Devices[0], carol.Devices[0]
		input, before := send(b)
		arrives(b, input)
		if n := block(t, s, phone, bob); n != 1 {
			t.Errorf("%d are blocked, want 1", n)
		}
		lost, answer := send(b)
		if answer != before {
			t.Errorf("blocked, the sender sees %s, before %s", answer, before)
		}
		again := s.Query(t, b.Token(s.URL), testserver.SendMessage, map[string]any{"input": lost})
		if shown(again, lost) != before {
			t.Errorf("the same again is answered %s", again.Body)
		}
		if n := accepted(t, s, b); n != 4 {
			t.Errorf("%d envelopes of the sender are accepted, want 4", n)
		}
		input, _ = send(c)
		arrives(c, input) // and nothing of Bob's before it
		if n := len(waiting(t, s, laptop)); n != 3 {
			t.Errorf("%d messages wait for the device that blocks nobody, want 3", n)
		}

		if n := block(t, s, phone); n != 0 {
			t.Errorf("%d are blocked, want none", n)
		}
		s.Query(t, b.Token(s.URL), testserver.SendMessage, map[string]any{"input": lost}).Into(t, &struct{}{})
		input, _ = send(b)
		arrives(b, input) // what was sent meanwhile does not come
	})
}

// A block that one node has taken holds on the others, which remember the mailbox as one that blocks nobody.
func TestBlockHoldsOnEveryNode(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		here := testserver.Start(t, testserver.Options{DB: db, PublicURLs: []string{"https://chat.example.org"}})
		there := testserver.Start(t, testserver.Options{DB: testdb.Reopen(t, db), PublicURLs: []string{"https://chat.example.org"}})
		alice, bob := here.Register(t), here.Register(t)
		for range 3 { // so that what is known of the mailbox is used
			there.Send(t, "hello", bob.Devices[0], alice.Devices[0]).Into(t, &struct{}{})
		}
		block(t, here, alice.Devices[0], bob)
		for range 3 {
			there.Send(t, "hello", bob.Devices[0], alice.Devices[0]).Into(t, &struct{}{})
		}
		if n := len(waiting(t, here, alice.Devices[0])); n != 3 {
			t.Errorf("%d messages wait, want the 3 of before", n)
		}
		block(t, here, alice.Devices[0])
		there.Send(t, "hello", bob.Devices[0], alice.Devices[0]).Into(t, &struct{}{})
		if n := len(waiting(t, here, alice.Devices[0])); n != 4 {
			t.Errorf("%d messages wait, want 4", n)
		}
	})
}

func TestBadInputBlocks(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db, Limits: func(l *limits.Limits) { l.MaxBlockedUsers = 2 }})
		alice, bob := s.Register(t), s.Register(t)
		token := alice.Devices[0].Token(s.URL)
		if n := block(t, s, alice.Devices[0], bob, testserver.NewPerson(t)); n != 1 {
			t.Errorf("%d are blocked, want Bob alone: nobody has the other id", n)
		}
		for name, c := range map[string]struct {
			token      string
			ids        []any
			code, says string
		}{
			"no token":    {"", []any{bob.ID.String()}, "UNAUTHENTICATED", ""},
			"no id":       {token, []any{"bob"}, "BAD_INPUT", "not a user id"},
			"oneself":     {token, []any{alice.ID.String()}, "BAD_INPUT", "themselves"},
			"three":       {token, []any{bob.ID.String(), bob.ID.String(), bob.ID.String()}, "BAD_INPUT", "may block 2"},
			"device's id": {token, []any{bob.Devices[0].ID()}, "BAD_INPUT", "not a user id"},
		} {
			t.Run(name, func(t *testing.T) {
				wrong(t, s.Query(t, c.token, testserver.SetBlocked, map[string]any{"ids": c.ids}), c.code, c.says)
			})
		}
		s.Send(t, "hello", bob.Devices[0], alice.Devices[0]).Into(t, &struct{}{})
		if n := len(waiting(t, s, alice.Devices[0])); n != 0 {
			t.Errorf("%d messages wait: what was refused has changed the list", n)
		}
	})
}

package server_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// traces are all bytes that point at a person: ids, keys, statements, and the envelopes that they were sent.
func traces(p *testserver.Person, gone ...*testserver.Device) map[string][]byte {
	userKey := p.UserKey.PublicKey()
	found := map[string][]byte{
		"user id": []byte(p.ID.String()), "raw user id": p.ID[:], "user key": userKey[:], "newest list": p.List.Statement(),
	}
	for i, d := range slices.Concat(p.Devices, gone) {
		id, key := d.Entry.DeviceID(), d.Key.PublicKey()
		found[fmt.Sprintf("device id %d", i)] = []byte(id.String())
		found[fmt.Sprintf("raw device id %d", i)] = id[:]
		found[fmt.Sprintf("signing key %d", i)] = key[:]
		found[fmt.Sprintf("agreement key %d", i)] = d.Entry.AgreementKey[:]
	}
	return found
}

// deletedWorld is Alice with a phone, a laptop and a tablet that she has removed, who writes with Bob.
type deletedWorld struct {
	*testserver.Server
	db                    *database.DB
	alice, bob            *testserver.Person
	phone, laptop, tablet *testserver.Device
	first                 []byte // version 1 of her list
	toAlice               []byte // what Bob has sealed for her phone
}

func newDeletedWorld(t *testing.T, db *database.DB) *deletedWorld {
	t.Helper()
	s := testserver.Start(t, testserver.Options{DB: db})
	w := &deletedWorld{Server: s, db: db, alice: s.Register(t), bob: s.Register(t)}
	w.phone, w.laptop, w.tablet = w.alice.Devices[0], w.alice.NewDevice(), w.alice.NewDevice()
	w.first = w.alice.List.Statement()
	for _, devices := range [][]*testserver.Device{{w.phone, w.tablet}, {w.phone, w.laptop}} {
		if answer := s.Publish(t, w.alice, devices...); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
	}
	for _, d := range []*testserver.Device{w.phone, w.laptop, w.bob.Devices[0]} {
		s.Query(t, d.Token(s.URL), testserver.UploadPrekeys, map[string]any{"input": d.Prekeys(3)}).Into(t, &struct{}{})
	}
	w.send(t, w.bob.Devices[0], w.phone, w.laptop)
	w.send(t, w.phone, w.bob.Devices[0])
	w.send(t, w.phone, w.laptop)
	for _, block := range []struct {
		by   *testserver.Device
		whom *testserver.Person
	}{{w.phone, w.bob}, {w.bob.Devices[0], w.alice}} {
		s.Query(t, block.by.Token(s.URL), testserver.SetBlocked, map[string]any{"ids": []any{block.whom.ID.String()}}).Into(t, &struct{}{})
	}
	sealed, err := base64.RawURLEncoding.DecodeString(waiting(t, s, w.phone)[0].Ciphertext)
	if err != nil {
		t.Fatal(err)
	}
	w.toAlice = sealed
	return w
}

func (w *deletedWorld) send(t *testing.T, from *testserver.Device, to ...*testserver.Device) {
	t.Helper()
	w.Send(t, "hello", from, to...).Into(t, &struct{}{})
}

// delete deletes Alice as her phone does, and gives the answer.
func (w *deletedWorld) delete(t *testing.T, token string) *testserver.Answer {
	t.Helper()
	return w.Query(t, token, testserver.DeleteUser, map[string]any{"input": w.alice.Deletion(w.URL)})
}

// After deleteUser no table holds anything of the user but the hashes of the ids, and the sender's name on what waits for others.
func TestDeletedUserIsInNoTable(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		w := newDeletedWorld(t, db)
		before := testdb.Dump(t, db)
		for what, trace := range traces(w.alice) {
			if !strings.HasPrefix(what, "raw") && len(testdb.Find(before, trace)) == 0 {
				t.Fatalf("%s is in no table before: the test looks for the wrong thing", what)
			}
		}
		waits := len(waiting(t, w.Server, w.bob.Devices[0]))

		if answer := w.delete(t, w.phone.Token(w.URL)); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
		after := testdb.Dump(t, db)
		if len(testdb.Find(before, w.toAlice)) != 1 || len(testdb.Find(after, w.toAlice)) > 0 {
			t.Errorf("an envelope to her was in %v, and is in %v", testdb.Find(before, w.toAlice), testdb.Find(after, w.toAlice))
		}
		for what, trace := range traces(w.alice, w.tablet) {
			for _, place := range testdb.Find(after, trace) {
				if place != "messages.sender_user_id" && place != "messages.sender_device_id" {
					t.Errorf("%s is still in %s", what, place)
				}
			}
		}
		w.lost(t, before, after)

		// What she has sent is delivered, and then nothing points at her.
		messages := waiting(t, w.Server, w.bob.Devices[0])
		if len(messages) != waits || messages[0].SenderUserID != w.alice.ID.String() {
			t.Fatalf("%d messages wait for Bob, want %d", len(messages), waits)
		}
		w.Query(t, w.bob.Devices[0].Token(w.URL), testserver.Acknowledge, map[string]any{"upTo": messages[len(messages)-1].Cursor}).Into(t, &struct{}{})
		end := testdb.Dump(t, db)
		for what, trace := range traces(w.alice, w.tablet) {
			if places := testdb.Find(end, trace); len(places) > 0 {
				t.Errorf("%s is in %v when all is delivered", what, places)
			}
		}
	})
}

// lost compares the rows of each table: those of Alice are gone and those of Bob stay.
func (w *deletedWorld) lost(t *testing.T, before, after []testdb.Cell) {
	t.Helper()
	for place, want := range map[string][2]int{
		"users.id": {2, 1}, "devices.id": {4, 1}, "device_lists.id": {4, 1}, "mailboxes.id": {4, 1}, "prekeys.id": {24, 8}, "blocks.id": {2, 0},
		"messages.id": {4, 1}, "deleted_ids.id": {0, 4},
	} {
		count := func(cells []testdb.Cell) (n int) {
			for _, cell := range cells {
				if cell.Place() == place {
					n++
				}
			}
			return n
		}
		if got := [2]int{count(before), count(after)}; got != want {
			t.Errorf("%s: %d rows before and after, want %d", place, got, want)
		}
	}
}

// A deleted user is to others as one whom nobody has ever registered.
func TestDeletedUserIsUnknown(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		w := newDeletedWorld(t, db)
		if answer := w.delete(t, w.phone.Token(w.URL)); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
		stranger, bob := testserver.NewPerson(t), w.bob.Devices[0]
		for name, ask := range map[string]func(p *testserver.Person) *testserver.Answer{
			"send": func(p *testserver.Person) *testserver.Answer { return w.Send(t, "hello", bob, p.Devices[0]) },
			"claim": func(p *testserver.Person) *testserver.Answer {
				return w.Query(t, bob.Token(w.URL), testserver.ClaimPrekeys, map[string]any{"userId": p.ID.String()})
			},
			"user": func(p *testserver.Person) *testserver.Answer {
				return w.Query(t, "", `query($id: ID!) { user(id: $id) { listVersion } }`, map[string]any{"id": p.ID.String()})
			},
		} {
			deleted, unknown := ask(w.alice), ask(stranger)
			if name != "user" {
				wrong(t, deleted, "RECIPIENT_UNKNOWN", "")
			}
			for _, answer := range []*testserver.Answer{deleted, unknown} {
				for i := range answer.Errors {
					delete(answer.Errors[i].Extensions, "requestId")
				}
			}
			if fmt.Sprint(deleted.Errors) != fmt.Sprint(unknown.Errors) || string(deleted.Data) != string(unknown.Data) || deleted.Status != unknown.Status {
				t.Errorf("%s: %s\nof an unknown user: %s", name, deleted.Body, unknown.Body)
			}
		}
	})
}

// Neither the id nor a device's comes back, whoever holds the keys: S3 refuses what is older than what was ever held.
func TestDeletedIDsDoNotComeBack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		w := newDeletedWorld(t, db)
		token := w.phone.Token(w.URL)
		if answer := w.delete(t, token); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
		registration := w.alice.Registration()
		registration["deviceList"] = testserver.Bytes(w.first)
		wrong(t, w.Query(t, token, testserver.RegisterKey, map[string]any{"input": registration}), "DEVICE_REMOVED", "never comes back")
		for _, d := range []*testserver.Device{w.phone, w.laptop, w.tablet} {
			wrong(t, w.Query(t, d.Token(w.URL), `{ viewer { id } }`, nil), "DEVICE_REMOVED", "deleted")
		}
		wrong(t, w.Query(t, token, testserver.UploadPrekeys, map[string]any{"input": w.phone.Prekeys(1)}), "DEVICE_REMOVED", "")
		wrong(t, w.Publish(t, w.alice, w.phone), "DEVICE_REMOVED", "")

		carol := w.Register(t)
		wrong(t, w.Publish(t, carol, carol.Devices[0], carol.DeviceWith(w.tablet.Key)), "DEVICE_REMOVED", "never comes back")
	})
}

func TestDeleteUserAgainAnswersTheSame(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		w := newDeletedWorld(t, db)
		var first, again struct {
			DeleteUser struct {
				UserID    string
				DeletedAt time.Time
			}
		}
		w.delete(t, w.phone.Token(w.URL)).Into(t, &first)
		if first.DeleteUser.UserID != w.alice.ID.String() || first.DeleteUser.DeletedAt.IsZero() {
			t.Errorf("%+v", first)
		}
		for name, token := range map[string]string{"its token": w.phone.Token(w.URL), "no token": "", "another's": w.bob.Devices[0].Token(w.URL)} {
			w.delete(t, token).Into(t, &again)
			if again != first {
				t.Errorf("%s: %+v, at first %+v", name, again, first)
			}
		}
	})
}

func TestAttackDeletesAnotherUser(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		w := newDeletedWorld(t, db)
		sign := func(p *testserver.Person, version uint32, origin string) map[string]any {
			statement, err := identity.SignDeletion(p.UserKey, version, origin)
			if err != nil {
				t.Fatal(err)
			}
			return map[string]any{"deletion": testserver.Bytes(statement)}
		}
		forged := sign(w.alice, 3, w.URL)
		text, ok := forged["deletion"].(string)
		if !ok {
			t.Fatal(forged)
		}
		forged["deletion"] = text[:len(text)-3] + "AAA"
		phone, bob := w.phone.Token(w.URL), w.bob.Devices[0].Token(w.URL)
		for name, c := range map[string]struct {
			token      string
			input      map[string]any
			code, says string
		}{
			"no token":               {"", sign(w.alice, 3, w.URL), "UNAUTHENTICATED", "needs a device token"},
			"another user's token":   {bob, sign(w.alice, 3, w.URL), "STATEMENT_INVALID", "another user"},
			"a removed device":       {w.tablet.Token(w.URL), sign(w.alice, 3, w.URL), "DEVICE_REMOVED", ""},
			"another user's word":    {phone, sign(w.bob, 1, w.URL), "STATEMENT_INVALID", "another user"},
			"for another server":     {phone, sign(w.alice, 3, "https://evil.example"), "STATEMENT_INVALID", "another server"},
			"an older list":          {phone, sign(w.alice, 2, w.URL), "LIST_CONFLICT", "version 3 holds"},
			"a list that is to come": {phone, sign(w.alice, 4, w.URL), "LIST_CONFLICT", "version 3 holds"},
			"a forged signature":     {phone, forged, "STATEMENT_INVALID", "S2.2"},
			"a device list":          {phone, map[string]any{"deletion": testserver.Bytes(w.alice.List.Statement())}, "STATEMENT_INVALID", "S7.1"},
			"nothing":                {phone, map[string]any{"deletion": ""}, "STATEMENT_INVALID", "S7.1"},
		} {
			t.Run(name, func(t *testing.T) {
				wrong(t, w.Query(t, c.token, testserver.DeleteUser, map[string]any{"input": c.input}), c.code, c.says)
			})
		}
		if n := len(waiting(t, w.Server, w.phone)); n != 1 {
			t.Errorf("%d messages wait for the phone, want 1", n)
		}
	})
}

// All that a deleted user's devices have open ends, on every node.
func TestDeletedUserIsCutOffOnEveryNode(t *testing.T) {
	for name, lookAgain := range map[string]time.Duration{"told": time.Hour, "found out": 50 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			n := startNodes(t, lookAgain)
			alice := n.here.Register(t)
			phone, laptop := alice.Devices[0], alice.NewDevice()
			if answer := n.here.Publish(t, alice, phone, laptop); answer.Code() != "" {
				t.Fatal(answer.Body)
			}
			idle := n.there.Open(t, testserver.Modern, laptop.Token(n.there.URL))
			live := n.there.Open(t, testserver.Legacy, phone.Token(n.there.URL))
			live.Start("1", testserver.Received, nil)
			n.known(t, 1)
			if lookAgain < time.Hour {
				n.nats.Stop()
			}
			answer := n.here.Query(t, phone.Token(n.here.URL), testserver.DeleteUser, map[string]any{"input": alice.Deletion(n.here.URL)})
			if answer.Code() != "" {
				t.Fatal(answer.Body)
			}
			for name, s := range map[string]*testserver.Socket{"idle": idle, "subscribed": live} {
				if code, reason := s.Closed(); code != socket.CloseForbidden {
					t.Errorf("%s: closed with %d %q, want 4403", name, code, reason)
				}
			}
		})
	}
}

// Nothing is left behind by what runs while a user is deleted: sends, uploads, publications, blocks, and the same deletion on another node.
func TestDeletionMeetsEverythingElse(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		urls := []string{"https://chat.example.org"}
		here := testserver.Start(t, testserver.Options{DB: db, PublicURLs: urls})
		there := testserver.Start(t, testserver.Options{DB: testdb.Reopen(t, db), PublicURLs: urls})
		for range 5 {
			alice, bob := here.Register(t), there.Register(t)
			a, b := alice.Devices[0], bob.Devices[0]
			next := alice.Sign(a, alice.NewDevice())
			deletions := []map[string]any{alice.Deletion(here.URL)}
			alice.List = next
			deletions = append(deletions, alice.Deletion(here.URL))
			tasks := []func() *testserver.Answer{
				func() *testserver.Answer {
					return there.Query(t, a.Token(here.URL), testserver.UploadPrekeys, map[string]any{"input": a.Prekeys(5)})
				},
				func() *testserver.Answer {
					return there.Query(t, a.Token(here.URL), testserver.PublishList,
						map[string]any{"input": map[string]any{"deviceList": testserver.Bytes(next.Statement())}})
				},
				func() *testserver.Answer {
					return there.Query(t, b.Token(here.URL), testserver.SetBlocked, map[string]any{"ids": []any{alice.ID.String()}})
				},
				func() *testserver.Answer {
					return here.Query(t, a.Token(here.URL), testserver.SetBlocked, map[string]any{"ids": []any{bob.ID.String()}})
				},
			}
			for i := range 8 {
				s := []*testserver.Server{here, there}[i%2]
				input := testserver.Message(t, "hello", b, a)
				first(input, "recipients")["listVersion"] = 1
				tasks = append(tasks,
					func() *testserver.Answer {
						return s.Query(t, b.Token(s.URL), testserver.SendMessage, map[string]any{"input": input})
					},
					func() *testserver.Answer {
						return s.Query(t, a.Token(s.URL), testserver.DeleteUser, map[string]any{"input": deletions[i/2%2]})
					})
			}
			answers := make([]*testserver.Answer, len(tasks))
			var running sync.WaitGroup
			for i, task := range tasks {
				running.Go(func() { answers[i] = task() })
			}
			running.Wait()
			deleted := false
			for _, answer := range answers {
				deleted = deleted || strings.Contains(answer.Body, `"deletedAt"`)
				switch answer.Code() {
				case "", "RECIPIENT_UNKNOWN", "DEVICE_LIST_CHANGED", "DEVICE_REMOVED", "LIST_CONFLICT":
				default:
					t.Errorf("%s", answer.Body)
				}
			}
			if !deleted {
				here.Query(t, a.Token(here.URL), testserver.DeleteUser, map[string]any{"input": deletions[1]}).Into(t, &struct{}{})
			}
			cells := testdb.Dump(t, db)
			for what, trace := range traces(alice) {
				if places := testdb.Find(cells, trace); len(places) > 0 {
					t.Errorf("%s is in %v", what, places)
				}
			}
			if n := orphans(t, db); n > 0 {
				t.Errorf("%d messages, prekeys or blocks are in no mailbox and of no device", n)
			}
		}
	})
}

// orphans counts rows whose mailbox or device is gone.
func orphans(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	err := db.SQL.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM messages WHERE mailbox_id NOT IN (SELECT id FROM mailboxes)) +
		(SELECT count(*) FROM blocks WHERE mailbox_id NOT IN (SELECT id FROM mailboxes)) +
		(SELECT count(*) FROM prekeys WHERE device_id NOT IN (SELECT id FROM devices))`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

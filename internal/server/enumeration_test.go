package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// asking is Alice, who would like to know who is here: Bob and Carol are, somebody is gone, and nobody never came.
type asking struct {
	*testserver.Server
	t                               *testing.T
	alice, bob, carol, gone, nobody *testserver.Person
	removed                         *testserver.Device // was Bob's
}

func newAsking(t *testing.T, db *database.DB) *asking {
	t.Helper()
	s := testserver.Start(t, testserver.Options{DB: db})
	a := &asking{Server: s, t: t, alice: s.Register(t), bob: s.Register(t), carol: s.Register(t), gone: s.Register(t), nobody: testserver.NewPerson(t)}
	a.removed = a.bob.NewDevice()
	for _, devices := range [][]*testserver.Device{{a.bob.Devices[0], a.removed}, {a.bob.Devices[0]}} {
		if answer := s.Publish(t, a.bob, devices...); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
	}
	for _, p := range []*testserver.Person{a.bob, a.carol, a.gone} {
		d := p.Devices[0]
		s.Query(t, d.Token(s.URL), testserver.UploadPrekeys, map[string]any{"input": d.Prekeys(3)}).Into(t, &struct{}{})
	}
	s.Query(t, a.gone.Devices[0].Token(s.URL), testserver.DeleteUser, map[string]any{"input": a.gone.Deletion(s.URL)}).Into(t, &struct{}{})
	return a
}

func (a *asking) ask(query string, variables map[string]any) *testserver.Answer {
	a.t.Helper()
	return a.Query(a.t, a.alice.Devices[0].Token(a.URL), query, variables)
}

func (a *asking) send(to *testserver.Person, device *testserver.Device) *testserver.Answer {
	a.t.Helper()
	return a.ask(testserver.SendMessage, map[string]any{"input": a.message(to, device)})
}

func (a *asking) sendTwo(to *testserver.Person, device *testserver.Device) *testserver.Answer {
	a.t.Helper()
	good := a.message(a.carol, a.carol.Devices[0])
	id, _ := good["messageId"].(string)
	return a.ask(testserver.SendMessages, map[string]any{"input": map[string]any{"callId": id, "messages": []any{good, a.message(to, device)}}})
}

func (a *asking) message(to *testserver.Person, device *testserver.Device) map[string]any {
	a.t.Helper()
	input := testserver.Message(a.t, "hello", a.alice.Devices[0], device)
	first(input, "recipients")["userId"] = to.ID.String()
	first(input, "recipients")["listVersion"] = to.List.Version
	return input
}

func (a *asking) claim(of *testserver.Person, devices ...*testserver.Device) *testserver.Answer {
	a.t.Helper()
	variables := map[string]any{"userId": of.ID.String()}
	if len(devices) > 0 {
		ids := []any{}
		for _, d := range devices {
			ids = append(ids, d.ID())
		}
		variables["devices"] = ids
	}
	return a.ask(testserver.ClaimPrekeys, variables)
}

// posing asks with a token that names somebody's device and is signed by Alice's.
func (a *asking) posing(as *testserver.Device) *testserver.Answer {
	a.t.Helper()
	parts := strings.Split(a.alice.Devices[0].Token(a.URL), ".")
	for i := range 2 {
		part, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			a.t.Fatal(err)
		}
		text := strings.NewReplacer(a.alice.Devices[0].ID(), as.ID(), a.alice.ID.String(), as.Owner.ID.String()).Replace(string(part))
		parts[i] = base64.RawURLEncoding.EncodeToString([]byte(text))
	}
	return a.Query(a.t, strings.Join(parts, "."), `query { viewer { id } }`, nil)
}

// said is all of an answer but its time, and the ids that the caller named.
func (a *asking) said(answer *testserver.Answer) string {
	a.t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(answer.Body), &body); err != nil {
		a.t.Fatal(err)
	}
	if errors, ok := body["errors"].([]any); ok {
		delete(errors[0].(map[string]any)["extensions"].(map[string]any), "serverTime")
	}
	text, err := json.Marshal(body)
	if err != nil {
		a.t.Fatal(err)
	}
	return fmt.Sprint(answer.Status, " ", string(text))
}

// Whether somebody is registered is what `user` tells those who know the id, 160 bits that nobody guesses. Other calls add nothing to
// that: what is not theirs is answered as what is not there, in the same words. The threat model lists what each call tells.
func TestErrorsNameNoUsers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		a := newAsking(t, db)
		phone := func(p *testserver.Person) *testserver.Device { return p.Devices[0] }
		a.send(a.bob, phone(a.bob)).Into(t, &struct{}{})
		theirs := waiting(t, a.Server, phone(a.bob))[0].Cursor
		a.Query(t, phone(a.bob).Token(a.URL), testserver.Acknowledge, map[string]any{"upTo": theirs}).Into(t, &struct{}{})
		invented := inventedCursor(t, theirs)
		deletion := func(of *testserver.Person) *testserver.Answer {
			return a.ask(testserver.DeleteUser, map[string]any{"input": of.Deletion(a.URL)})
		}
		for name, c := range map[string]struct {
			answers map[string]*testserver.Answer
			code    string
		}{
			"a message": {map[string]*testserver.Answer{
				"to nobody": a.send(a.nobody, phone(a.nobody)), "to who is gone": a.send(a.gone, phone(a.gone)),
				"to a device that is not there": a.send(a.bob, phone(a.nobody)), "to another's device": a.send(a.bob, phone(a.carol)), "to a gone device": a.send(a.bob, phone(a.gone)),
			}, "RECIPIENT_UNKNOWN"},
			"messages": {map[string]*testserver.Answer{
				"to nobody": a.sendTwo(a.nobody, phone(a.nobody)), "to who is gone": a.sendTwo(a.gone, phone(a.gone)),
				"to a device that is not there": a.sendTwo(a.bob, phone(a.nobody)), "to another's device": a.sendTwo(a.bob, phone(a.carol)),
			}, "RECIPIENT_UNKNOWN"},
			"prekeys": {map[string]*testserver.Answer{
				"of nobody": a.claim(a.nobody), "of who is gone": a.claim(a.gone), "of a device of nobody": a.claim(a.nobody, phone(a.bob)),
			}, "RECIPIENT_UNKNOWN"},
			"prekeys of a device": {map[string]*testserver.Answer{
				"that is not there": a.claim(a.bob, phone(a.nobody)), "that is another's": a.claim(a.bob, phone(a.carol)),
				"that is gone": a.claim(a.bob, phone(a.gone)), "that is removed": a.claim(a.bob, a.removed),
			}, ""},
			"deletion": {map[string]*testserver.Answer{
				"of nobody": deletion(a.nobody), "of somebody": deletion(a.bob),
			}, "STATEMENT_INVALID"},
			"acknowledgement": {cursors(theirs, invented, func(cursor string) *testserver.Answer {
				return a.ask(testserver.Acknowledge, map[string]any{"upTo": cursor})
			}), "CURSOR_INVALID"},
			"page": {cursors(theirs, invented, func(cursor string) *testserver.Answer {
				return a.ask(`query($a: Cursor) { mailbox(after: $a) { nodes { ciphertext } } }`, map[string]any{"a": cursor})
			}), "CURSOR_INVALID"},
			"device": {map[string]*testserver.Answer{
				"that is not there": a.posing(phone(a.nobody)), "that is there": a.posing(phone(a.bob)), "that is removed": a.posing(a.removed),
			}, "UNAUTHENTICATED"},
		} {
			first, of := "", ""
			for variant, answer := range c.answers {
				if answer.Code() != c.code {
					t.Errorf("%s %s: %s, want %q", name, variant, answer.Body, c.code)
				}
				said := a.said(answer)
				if first == "" {
					first, of = said, variant
				}
				if said != first {
					t.Errorf("%s %s: %s\n%s: %s", name, variant, said, of, first)
				}
			}
		}
		user := func(p *testserver.Person) string {
			return a.Query(t, "", `query($id: ID!) { user(id: $id) { listVersion } }`, map[string]any{"id": p.ID.String()}).Body
		}
		if never, gone := user(a.nobody), user(a.gone); never != gone || !strings.Contains(never, `"user":null`) {
			t.Errorf("who never came: %s; who is gone: %s", never, gone)
		}
		blocked := func(p *testserver.Person) string {
			return a.ask(testserver.SetBlocked, map[string]any{"ids": []any{p.ID.String()}}).Body
		}
		if never, gone := blocked(a.nobody), blocked(a.gone); never != gone {
			t.Errorf("blocking who never came: %s; who is gone: %s", never, gone)
		}
	})
}

func cursors(theirs, invented string, ask func(string) *testserver.Answer) map[string]*testserver.Answer {
	return map[string]*testserver.Answer{"another's": ask(theirs), "nobody's": ask(invented)}
}

// inventedCursor is one of a mailbox that is not there.
func inventedCursor(t *testing.T, cursor string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		t.Fatal(err)
	}
	raw[8] ^= 0x40 // the mailbox begins here
	return testserver.Bytes(raw)
}

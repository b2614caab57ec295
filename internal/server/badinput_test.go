package server_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// wrong checks that a request failed as documented: a code, that nothing was stored, and a message that helps.
func wrong(t *testing.T, answer *testserver.Answer, code, says string) {
	t.Helper()
	if answer.Code() != code {
		t.Fatalf("code %q, want %s: %s", answer.Code(), code, answer.Body)
	}
	e := answer.Errors[0]
	if e.Extensions["stored"] != "NO" {
		t.Errorf("stored is %v, want NO", e.Extensions["stored"])
	}
	if !strings.Contains(e.Message, says) {
		t.Errorf("message %q does not say %q", e.Message, says)
	}
	if (code == "UNAUTHENTICATED") != (e.Extensions["serverTime"] != nil) {
		t.Errorf("serverTime is %v with code %s", e.Extensions["serverTime"], code)
	}
}

// world is a server with two people, to which bad things are sent.
type world struct {
	*testserver.Server
	alice, bob *testserver.Person
}

// eachWorld runs test on both databases, and checks afterwards that nothing was stored and that the server goes on.
func eachWorld(t *testing.T, test func(t *testing.T, w *world)) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		w := &world{Server: testserver.Start(t, testserver.Options{DB: db})}
		w.alice, w.bob = w.Register(t), w.Register(t)
		test(t, w)
		if t.Failed() {
			return
		}
		if n := len(waiting(t, w.Server, w.bob.Devices[0])); n != 0 {
			t.Errorf("%d messages were stored", n)
		}
		if n := accepted(t, w.Server, w.alice.Devices[0]); n != 0 {
			t.Errorf("%d messages were accepted", n)
		}
		w.Send(t, "goes on", w.alice.Devices[0], w.bob.Devices[0]).Into(t, &struct{}{})
		if n := len(waiting(t, w.Server, w.bob.Devices[0])); n != 1 {
			t.Errorf("afterwards %d messages wait, want 1", n)
		}
	})
}

func (w *world) token() string { return w.alice.Devices[0].Token(w.URL) }

// send sends a message that change has spoilt.
func (w *world) send(t *testing.T, change func(input, envelope map[string]any)) *testserver.Answer {
	t.Helper()
	input := testserver.Message(t, "hello", w.alice.Devices[0], w.bob.Devices[0])
	change(input, first(first(input, "recipients"), "envelopes"))
	return w.Query(t, w.token(), testserver.SendMessage, map[string]any{"input": input})
}

// first gives the first element of a list of objects.
func first(object map[string]any, list string) map[string]any {
	elements, ok := object[list].([]any)
	if !ok {
		return nil
	}
	element, _ := elements[0].(map[string]any)
	return element
}

func TestBadInputBase64(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct{ text, says string }{
			"padding":       {"AQI=", "contains padding"},
			"plus":          {"+/+/", "contains + or /"},
			"space":         {"AQI ", "white space"},
			"line break":    {"AQ\nID", "line break"},
			"cut off":       {"AQIDB", "cut off"},
			"trailing bits": {"AQJ", "trailing bits"},
			"umlaut":        {"äöü", "alphabet"},
		} {
			t.Run(name, func(t *testing.T) {
				answer := w.send(t, func(_, envelope map[string]any) { envelope["ciphertext"] = c.text })
				wrong(t, answer, "BAD_INPUT", c.says)
				if !strings.HasPrefix(answer.Errors[0].Message, "input.recipients[0].envelopes[0].ciphertext ") {
					t.Errorf("message %q does not say where", answer.Errors[0].Message)
				}
				if strings.Contains(answer.Body, c.text) {
					t.Errorf("the value comes back: %s", answer.Body)
				}
			})
		}
		answer := w.send(t, func(_, envelope map[string]any) { envelope["ciphertext"] = 7 })
		wrong(t, answer, "BAD_INPUT", "must be a string")
	})
}

func TestBadInputKeys(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		eve := testserver.NewPerson(t)
		for name, c := range map[string]struct {
			key        []byte
			code, says string
		}{
			"short":     {make([]byte, 31), "BAD_INPUT", "32 bytes"},
			"long":      {make([]byte, 33), "BAD_INPUT", "32 bytes"},
			"empty":     {nil, "BAD_INPUT", "32 bytes"},
			"low order": {append([]byte{1}, make([]byte, 31)...), "STATEMENT_INVALID", "Make a new one"},
			"not ours":  {keyOf(w.alice), "STATEMENT_INVALID", ""},
		} {
			t.Run(name, func(t *testing.T) {
				input := eve.Registration()
				input["userKey"] = testserver.Bytes(c.key)
				wrong(t, w.Query(t, eve.Devices[0].Token(w.URL), testserver.RegisterKey, map[string]any{"input": input}), c.code, c.says)
			})
		}
		if user := userOf(t, w.Server, eve); user != "null" {
			t.Errorf("user is %s after refused registrations", user)
		}
	})
}

func keyOf(p *testserver.Person) []byte {
	key := p.UserKey.PublicKey()
	return key[:]
}

func userOf(t *testing.T, s *testserver.Server, p *testserver.Person) string {
	t.Helper()
	var data struct{ User json.RawMessage }
	s.Query(t, "", `query($id: ID!) { user(id: $id) { listVersion } }`, map[string]any{"id": p.ID.String()}).Into(t, &data)
	return string(data.User)
}

func TestBadInputDeviceLists(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		first := w.alice.List
		second := w.alice.Sign(w.alice.Devices[0], w.alice.NewDevice())
		publish := func(statement []byte) *testserver.Answer {
			return w.Query(t, w.token(), testserver.PublishList,
				map[string]any{"input": map[string]any{"deviceList": testserver.Bytes(statement)}})
		}
		for i := range second.Statement() {
			if i%37 != 0 {
				continue // every byte is identity's to test
			}
			forged := second.Statement()
			forged[i] ^= 1
			if code := publish(forged).Code(); code != "STATEMENT_INVALID" && code != "LIST_CONFLICT" {
				t.Fatalf("a list with byte %d changed: code %q", i, code)
			}
		}
		wrong(t, publish(nil), "STATEMENT_INVALID", "")
		wrong(t, publish(w.bob.List.Statement()), "STATEMENT_INVALID", "")

		w.alice.List = second
		third := w.alice.Sign(w.alice.Devices[0])
		wrong(t, publish(third.Statement()), "LIST_CONFLICT", "Version 1 holds now")
		w.alice.List = first

		if answer := w.Publish(t, w.alice, w.alice.Devices[0], w.alice.NewDevice()); answer.Code() != "" {
			t.Fatalf("a good list: %s", answer.Body)
		}
		wrong(t, publish(second.Statement()), "LIST_CONFLICT", "Version 2 holds now")
		if user := userOf(t, w.Server, w.alice); user != `{"listVersion":2}` {
			t.Errorf("user is %s", user)
		}
	})
}

func TestBadInputTokens(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		device := w.alice.Devices[0]
		good := device.Token(w.URL)
		parts := strings.Split(good, ".")
		for name, c := range map[string]struct{ token, says string }{
			"expired":         {device.TokenAt(w.URL, time.Now().Add(-time.Hour)), "Make a new one"},
			"future":          {device.TokenAt(w.URL, time.Now().Add(time.Hour)), "query server's time"},
			"foreign":         {device.Token("https://other.example.org"), "origin that the query server names"},
			"of nobody":       {testserver.NewPerson(t).Devices[0].Token(w.URL), "registerKey"},
			"unsigned":        {parts[0] + "." + parts[1] + ".", "Make a new one"},
			"alg none":        {b64(`{"alg":"none","kid":"`+device.ID()+`","typ":"letterlock-device+jwt"}`) + "." + parts[1] + ".", "Make a new one"},
			"other signature": {parts[0] + "." + parts[1] + "." + b64(string(make([]byte, ed25519.SignatureSize))), "Make a new one"},
			"nonsense":        {"nonsense", "Make a new one"},
			"long":            {strings.Repeat("x", 10_000), "Make a new one"},
		} {
			t.Run(name, func(t *testing.T) {
				input := map[string]any{"input": testserver.Message(t, "hello", device, w.bob.Devices[0])}
				answer := w.Query(t, c.token, testserver.SendMessage, input)
				wrong(t, answer, "UNAUTHENTICATED", c.says)
				if len(c.token) > 20 && strings.Contains(answer.Body, c.token) {
					t.Error("the token comes back")
				}
				viewer := w.Query(t, c.token, `{ viewer { id } }`, nil)
				wrong(t, viewer, "UNAUTHENTICATED", "")
			})
		}
		wrong(t, w.Query(t, "", testserver.SendMessage, map[string]any{"input": testserver.Message(t, "hello", device, w.bob.Devices[0])}),
			"UNAUTHENTICATED", "Authorization: Bearer")
		basic := w.Post(t, http.Header{"Content-Type": {plain}, "Authorization": {"Basic Zm9v"}}, []byte(`{"query":"{viewer{id}}"}`))
		wrong(t, basic, "UNAUTHENTICATED", "Bearer")
	})
}

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func TestBadInputMessages(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		nobody := testserver.NewPerson(t)
		id := func(v any) func(input, envelope map[string]any) {
			return func(input, _ map[string]any) { input["messageId"] = v }
		}
		recipient := func(input map[string]any) map[string]any { return first(input, "recipients") }
		old := uuid.Must(uuid.NewV7())
		copy(old[:6], make([]byte, 6)) // 1970
		for name, c := range map[string]struct {
			change     func(input, envelope map[string]any)
			code, says string
		}{
			"empty ciphertext":     {func(_, e map[string]any) { e["ciphertext"] = "" }, "BAD_INPUT", "empty"},
			"oversized ciphertext": {func(_, e map[string]any) { e["ciphertext"] = testserver.Bytes(make([]byte, 66561)) }, "BAD_INPUT", "66560"},
			"no nonce":             {func(_, e map[string]any) { e["nonce"] = nil }, "BAD_INPUT", "24 bytes"},
			"short nonce":          {func(_, e map[string]any) { e["nonce"] = "AAAA" }, "BAD_INPUT", "24 bytes"},
			"nonce of a session":   {func(_, e map[string]any) { e["kind"] = "SESSION" }, "BAD_INPUT", "Only a BOX"},
			"kind":                 {func(_, e map[string]any) { e["kind"] = "PARCEL" }, "BAD_INPUT", "is not a valid EnvelopeKind"},
			"kind in lower case":   {func(_, e map[string]any) { e["kind"] = "box" }, "BAD_INPUT", ""},
			"device id":            {func(_, e map[string]any) { e["deviceId"] = "dx" }, "BAD_INPUT", "device id"},
			"unknown device":       {func(_, e map[string]any) { e["deviceId"] = nobody.Devices[0].ID() }, "RECIPIENT_UNKNOWN", ""},
			"user id":              {func(i, _ map[string]any) { recipient(i)["userId"] = strings.ToUpper(w.bob.ID.String()) }, "BAD_INPUT", "user id"},
			"unknown user":         {func(i, _ map[string]any) { recipient(i)["userId"] = nobody.ID.String() }, "RECIPIENT_UNKNOWN", ""},
			"other user's device":  {func(i, _ map[string]any) { recipient(i)["userId"] = w.alice.ID.String() }, "RECIPIENT_UNKNOWN", ""},
			"list version":         {func(i, _ map[string]any) { recipient(i)["listVersion"] = 2 }, "DEVICE_LIST_CHANGED", ""},
			"negative version":     {func(i, _ map[string]any) { recipient(i)["listVersion"] = -1 }, "BAD_INPUT", "negative"},
			"no recipients":        {func(i, _ map[string]any) { i["recipients"] = []any{} }, "BAD_INPUT", "at least one"},
			"no envelopes":         {func(i, _ map[string]any) { recipient(i)["envelopes"] = []any{} }, "BAD_INPUT", "at least one"},
			"the same user twice":  {func(i, _ map[string]any) { i["recipients"] = []any{recipient(i), recipient(i)} }, "BAD_INPUT", "twice"},
			"the device twice":     {func(i, e map[string]any) { recipient(i)["envelopes"] = []any{e, e} }, "BAD_INPUT", "twice"},
			"too many envelopes":   {func(i, e map[string]any) { recipient(i)["envelopes"] = many(e, 201) }, "BAD_INPUT", "200"},
			"expires at once":      {func(i, _ map[string]any) { i["expiresIn"] = 0 }, "BAD_INPUT", "expiresIn"},
			"expires as text":      {func(i, _ map[string]any) { i["expiresIn"] = "7" }, "BAD_INPUT", ""},
			"expires too large":    {func(i, _ map[string]any) { i["expiresIn"] = 1 << 40 }, "BAD_INPUT", ""},
			"expires in fractions": {func(i, _ map[string]any) { i["expiresIn"] = 1.5 }, "BAD_INPUT", ""},
			"message id":           {id("one"), "BAD_INPUT", "UUIDv7"},
			"message id, braces":   {id("{" + uuid.Must(uuid.NewV7()).String() + "}"), "BAD_INPUT", "UUIDv7"},
			"message id, capitals": {id(strings.ToUpper(uuid.Must(uuid.NewV7()).String())), "BAD_INPUT", "UUIDv7"},
			"message id, v4":       {id(uuid.NewString()), "BAD_INPUT", ""},
			"message id, number":   {id(7), "BAD_INPUT", "string"},
			"message id, too old":  {id(old.String()), "MESSAGE_ID_EXPIRED", ""},
			"unknown field":        {func(i, _ map[string]any) { i["subject"] = "hello" }, "BAD_INPUT", "unknown field"},
		} {
			t.Run(name, func(t *testing.T) { wrong(t, w.send(t, c.change), c.code, c.says) })
		}
	})
}

func many(v any, n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func TestBadInputMessageIDUsedBefore(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db})
		alice, bob := s.Register(t), s.Register(t)
		input := testserver.Message(t, "one", alice.Devices[0], bob.Devices[0])
		variables := map[string]any{"input": input}
		first := s.Query(t, alice.Devices[0].Token(s.URL), testserver.SendMessage, variables)
		again := s.Query(t, alice.Devices[0].Token(s.URL), testserver.SendMessage, variables)
		if first.Code() != "" || first.Body != again.Body {
			t.Fatalf("the same message again: %s, first %s", again.Body, first.Body)
		}
		other := testserver.Message(t, "two", alice.Devices[0], bob.Devices[0])
		other["messageId"] = input["messageId"]
		wrong(t, s.Query(t, alice.Devices[0].Token(s.URL), testserver.SendMessage, map[string]any{"input": other}), "MESSAGE_ID_REUSED", "")
		if n := len(waiting(t, s, bob.Devices[0])); n != 1 {
			t.Errorf("%d messages wait, want 1", n)
		}
		if n := accepted(t, s, alice.Devices[0]); n != 1 {
			t.Errorf("%d were accepted, want 1", n)
		}
	})
}

func TestBadInputCursors(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db})
		alice, bob := s.Register(t), s.Register(t)
		a, b := alice.Devices[0], bob.Devices[0]
		s.Send(t, "to bob", a, b).Into(t, &struct{}{})
		s.Send(t, "to alice", b, a).Into(t, &struct{}{})
		bobs := waiting(t, s, b)[0].Cursor
		const page = `query($after: Cursor, $first: Int) { mailbox(after: $after, first: $first) { expiredCount } }`
		for name, cursor := range map[string]any{
			"of another mailbox": bobs, "nonsense": "nonsense", "empty": "", "ahead": ahead(t, waiting(t, s, a)[0].Cursor),
		} {
			t.Run(name, func(t *testing.T) {
				wrong(t, s.Query(t, a.Token(s.URL), testserver.Acknowledge, map[string]any{"upTo": cursor}), "CURSOR_INVALID", "Start again")
				wrong(t, s.Query(t, a.Token(s.URL), page, map[string]any{"after": cursor}), "CURSOR_INVALID", "Start again")
				socket := s.Open(t, testserver.Modern, a.Token(s.URL))
				socket.Start("1", testserver.Received, map[string]any{"after": cursor})
				wrong(t, socket.Next(), "CURSOR_INVALID", "Start again")
			})
		}
		wrong(t, s.Query(t, a.Token(s.URL), testserver.Acknowledge, map[string]any{"upTo": 7}), "BAD_INPUT", "string")
		wrong(t, s.Query(t, a.Token(s.URL), testserver.Acknowledge, map[string]any{"upTo": strings.Repeat("x", 300)}), "BAD_INPUT", "too long")
		for _, first := range []int{0, -1, 101} {
			wrong(t, s.Query(t, a.Token(s.URL), page, map[string]any{"first": first}), "BAD_INPUT", "1 to 100")
		}
		if len(waiting(t, s, a)) != 1 || len(waiting(t, s, b)) != 1 {
			t.Error("a refused cursor has deleted something")
		}
	})
}

// ahead makes a cursor that is one ahead of another.
func ahead(t *testing.T, cursor string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1]++
	return testserver.Bytes(b)
}

package server_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

type callAnswer struct {
	SendMessages struct {
		CallID     string
		AcceptedAt time.Time
		Messages   []struct {
			MessageID  string
			AcceptedAt time.Time
			Deliveries []struct{ DeviceID, Status string }
		}
	}
}

// A call of several messages is stored as a whole, once, and in order.
func TestSendMessages(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db})
		alice, bob, carol := s.Register(t), s.Register(t), s.Register(t)
		phone := alice.Devices[0]
		var messages, ids []any
		for _, to := range []*testserver.Person{bob, carol, bob} {
			m := testserver.Message(t, "hello", phone, to.Devices[0])
			messages, ids = append(messages, m), append(ids, m["messageId"])
		}
		input := map[string]any{"callId": uuid.Must(uuid.NewV7()).String(), "messages": messages}
		var first string
		for range 2 {
			answer := s.Query(t, phone.Token(s.URL), testserver.SendMessages, map[string]any{"input": input})
			data := decode[callAnswer](t, answer.Data)
			for i, m := range data.SendMessages.Messages {
				if m.MessageID != ids[i] || len(m.Deliveries) != 1 || m.Deliveries[0].Status != "STORED" || !m.AcceptedAt.Equal(data.SendMessages.AcceptedAt) {
					t.Errorf("message %d: %+v", i, m)
				}
			}
			if data.SendMessages.CallID != input["callId"] || len(data.SendMessages.Messages) != 3 {
				t.Fatalf("answer %s", answer.Body)
			}
			if first == "" {
				first = answer.Body
			} else if first != answer.Body {
				t.Errorf("the call again is answered by %s, at first by %s", answer.Body, first)
			}
		}
		if n := len(waiting(t, s, bob.Devices[0])); n != 2 {
			t.Errorf("%d messages wait for bob, want 2", n)
		}
		if n := len(waiting(t, s, carol.Devices[0])); n != 1 {
			t.Errorf("%d messages wait for carol, want 1", n)
		}
		if n := accepted(t, s, phone); n != 3 {
			t.Errorf("acceptedCount is %d, want 3", n)
		}
	})
}

func TestBadInputCalls(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		message := func() map[string]any { return testserver.Message(t, "hello", w.alice.Devices[0], w.bob.Devices[0]) }
		stale := message()
		first(stale, "recipients")["listVersion"] = 7
		twice := message()
		for name, c := range map[string]struct {
			id         any
			messages   []any
			code, says string
		}{
			"no messages":      {uuid.Must(uuid.NewV7()).String(), []any{}, "BAD_INPUT", "at least one"},
			"no id":            {nil, []any{message()}, "BAD_INPUT", "callId"},
			"not a UUIDv7":     {uuid.New().String(), []any{message()}, "BAD_INPUT", "UUIDv7"},
			"upper case":       {strings.ToUpper(uuid.Must(uuid.NewV7()).String()), []any{message()}, "BAD_INPUT", "`callId`"},
			"a message twice":  {uuid.Must(uuid.NewV7()).String(), []any{twice, twice}, "BAD_INPUT", "twice"},
			"one is stale":     {uuid.Must(uuid.NewV7()).String(), []any{message(), stale}, "DEVICE_LIST_CHANGED", ""},
			"more than a call": {uuid.Must(uuid.NewV7()).String(), slices.Repeat([]any{message()}, 201), "BAD_INPUT", "200"},
		} {
			t.Run(name, func(t *testing.T) {
				input := map[string]any{"callId": c.id, "messages": c.messages}
				wrong(t, w.Query(t, w.token(), testserver.SendMessages, map[string]any{"input": input}), c.code, c.says)
			})
		}
		input := map[string]any{"callId": uuid.Must(uuid.NewV7()).String(), "messages": []any{message()}}
		wrong(t, w.Query(t, "", testserver.SendMessages, map[string]any{"input": input}), "UNAUTHENTICATED", "Authorization: Bearer")
	})
}

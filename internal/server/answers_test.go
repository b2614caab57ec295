package server_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// The first call with a document goes through GraphQL's executor, and later ones mostly do not: nobody can tell, neither by
// the answers, over each transport, nor by the metrics.
func TestCallsAgainAreAnsweredAlike(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db, MetricsAddr: "127.0.0.1:0"})
		alice, bob := s.Register(t).Devices[0], s.Register(t).Devices[0]
		good, moved, many := testserver.Message(t, "x", alice, bob), testserver.Message(t, "x", alice, bob), testserver.Message(t, "x", alice, bob)
		first(moved, "recipients")["listVersion"] = 7
		first(many, "recipients")["listVersion"] = "1"
		before := scrape(t, s)
		for _, c := range []struct {
			document  string
			variables map[string]any
			code      string
		}{
			{testserver.SendMessage, map[string]any{"input": good}, "OK"},
			{testserver.SendMessage, map[string]any{"input": moved}, "DEVICE_LIST_CHANGED"},
			{testserver.SendMessage, map[string]any{"input": many}, "BAD_INPUT"},
			{testserver.Acknowledge, map[string]any{"upTo": "AAAAAAAAAAEAAAABAAAAAQ"}, "CURSOR_INVALID"},
			{testserver.SendMessages, map[string]any{"input": map[string]any{"callId": good["messageId"], "messages": []any{moved}}}, "MESSAGE_ID_REUSED"},
		} {
			want := s.Query(t, alice.Token(s.URL), c.document, c.variables)
			body, err := json.Marshal(map[string]any{"query": c.document, "variables": c.variables})
			if err != nil {
				t.Fatal(err)
			}
			socket := s.Open(t, testserver.Modern, alice.Token(s.URL))
			for range 3 {
				got := s.Post(t, http.Header{"Authorization": {"Bearer " + alice.Token(s.URL)}, "Content-Type": {plain}, "Accept": {"application/json"}}, body)
				if got.Status != http.StatusOK || got.Body != want.Body {
					t.Errorf("%d %s, at first %s", got.Status, got.Body, want.Body)
				}
				if code := got.Code(); code != c.code && code != "" {
					t.Errorf("the code is %s, want %s", code, c.code)
				}
				socket.Start("1", c.document, c.variables)
				frame := socket.Receive()
				if frame.Type == "next" {
					socket.Expect("complete")
				}
				var answer testserver.Answer
				if err := json.Unmarshal(frame.Payload, &answer); frame.Type == "next" && (err != nil || string(frame.Payload) != want.Body) {
					t.Errorf("over the socket %s, at first %s", frame.Payload, want.Body)
				}
			}
			after := scrape(t, s)
			if n := after.count("kind=mutation", "code="+c.code) - before.count("kind=mutation", "code="+c.code); n != 7 {
				t.Errorf("%s is counted %v times, want 7", c.code, n)
			}
		}
		if n := len(waiting(t, s, bob)); n != 1 {
			t.Errorf("%d messages wait, want 1", n)
		}
	})
}

// count gives how many operations there were with these labels.
func (s scraped) count(labels ...string) float64 {
	for _, m := range s.families["letterlock_graphql_operations_total"].GetMetric() {
		if hasLabels(m, labels) {
			return m.GetCounter().GetValue()
		}
	}
	return 0
}

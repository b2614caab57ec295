package load_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/load"
	"github.com/letterlock/letterlock/internal/testserver"
)

func farAway() time.Time { return time.Now().Add(time.Minute) }

var bulk = load.Shape{Bulk: true, Messages: 5, Recipients: 3}

// run sends some hundred envelopes from two senders to three receivers.
func run(t *testing.T, url string, way load.Way, shape load.Shape, late bool) (load.Result, error) {
	t.Helper()
	return runFor(t, 0, url, way, shape, late)
}

// runFor waits as long for what may never come.
func runFor(t *testing.T, patience time.Duration, url string, way load.Way, shape load.Shape, late bool) (load.Result, error) {
	t.Helper()
	ctx := t.Context()
	node, err := load.NewNode(url)
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	nodes := []*load.Node{node}
	people, err := load.Register(ctx, nodes, 5)
	if err != nil {
		return load.Result{}, err
	}
	content, err := load.NewContent(100)
	if err != nil {
		t.Fatal(err)
	}
	receivers := load.NewReceivers(people[2:], nodes, content, 2, load.ReceiverOptions{AcknowledgeEvery: 10})
	l := load.Load{Receivers: receivers, Late: late, Envelopes: 300, Patience: patience}
	for i := range 2 {
		s, err := load.NewSender(ctx, i, people[i], node, way, shape, content, receivers)
		if err != nil {
			return load.Result{}, err
		}
		l.Senders = append(l.Senders, s)
	}
	return l.Run(ctx)
}

func each(t *testing.T, test func(t *testing.T, way load.Way, shape load.Shape)) {
	for _, way := range []load.Way{load.OverSocket, load.OverHTTP} {
		t.Run(string(way), func(t *testing.T) { test(t, way, load.One()) })
		t.Run(string(way)+", bulk", func(t *testing.T) { test(t, way, bulk) })
	}
}

func TestHonestServerPasses(t *testing.T) {
	each(t, func(t *testing.T, way load.Way, shape load.Shape) {
		for _, late := range []bool{false, true} {
			f, url := startFake(t, lies{})
			r, err := run(t, url, way, shape, late)
			if err != nil || f.sent < 300 || f.acks == 0 {
				t.Errorf("%v, %d envelopes, %d acknowledgements", err, f.sent, f.acks)
			}
			if got := r.Calls * shape.Envelopes(); got != r.Envelopes || got == 0 {
				t.Errorf("%d calls with %d envelopes were counted", r.Calls, r.Envelopes)
			}
		}
	})
}

// What the server does wrong on the way to a receiver fails the run, whatever the senders were told.
func TestBreachOfContractFails(t *testing.T) {
	var held []envelope // of the case that uses it
	for name, c := range map[string]struct {
		deliver func(n int, e envelope) []envelope
		want    string
	}{
		"lost": {func(n int, e envelope) []envelope {
			if n == 50 {
				return nil
			}
			return []envelope{e}
		}, "1 lost, 0 doubled, 1 out of order"},
		"last lost": {func(n int, e envelope) []envelope {
			if n >= 300 {
				return nil
			}
			return []envelope{e}
		}, " lost, 0 doubled, 0 out of order"},
		"doubled": {func(n int, e envelope) []envelope {
			if n == 50 {
				return []envelope{e, e}
			}
			return []envelope{e}
		}, "0 lost, 1 doubled, 0 out of order"},
		"out of order": {func(n int, e envelope) []envelope {
			if n == 50 || len(held) > 0 && held[0].DeviceID != e.DeviceID {
				held = append(held, e)
				return nil
			}
			reach := append([]envelope{e}, held...)
			held = nil
			return reach
		}, "out of order"},
		"changed": {func(n int, e envelope) []envelope {
			if n == 50 {
				other := "A"
				if e.Ciphertext[60] == 'A' {
					other = "B"
				}
				e.Ciphertext = e.Ciphertext[:60] + other + e.Ciphertext[61:]
			}
			return []envelope{e}
		}, "came back changed"},
		"cut off": {func(n int, e envelope) []envelope {
			if n == 50 {
				e.Ciphertext = e.Ciphertext[:len(e.Ciphertext)-1]
			}
			return []envelope{e}
		}, "came back changed"},
		"another nonce": {func(n int, e envelope) []envelope {
			if n == 50 {
				e.Nonce = strings.Repeat("A", 32)
			}
			return []envelope{e}
		}, "came back changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, url := startFake(t, lies{deliver: c.deliver})
			if _, err := runFor(t, 3*time.Second, url, load.OverSocket, load.One(), false); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestEnvelopeForAnotherDeviceFails(t *testing.T) {
	var other string
	_, url := startFake(t, lies{deliver: func(n int, e envelope) []envelope {
		if other == "" {
			other = e.DeviceID
		}
		if n >= 50 && e.DeviceID != other {
			e.DeviceID = other
		}
		return []envelope{e}
	}})
	if _, err := run(t, url, load.OverSocket, load.One(), false); err == nil || !strings.Contains(err.Error(), "arrived at receiver") {
		t.Errorf("%v", err)
	}
}

// An answer that does not say that this very call was stored fails the run.
func TestBadAnswerFails(t *testing.T) {
	n := 0
	for name, c := range map[string]struct {
		answer func(string) string
		want   string
	}{
		"full mailbox": {func(s string) string { return strings.Replace(s, "STORED", "MAILBOX_FULL", 1) }, "not stored"},
		"error": {func(string) string {
			return `{"errors":[{"message":"no","extensions":{"code":"OVERLOADED"}}],"data":null}`
		}, "OVERLOADED"},
		"no data":         {func(string) string { return `{"data":null}` }, "an answer about 0 messages"},
		"no JSON":         {func(string) string { return `"` }, "no GraphQL"},
		"another message": {func(s string) string { return strings.Replace(s, `"messageId":"0`, `"messageId":"1`, 1) }, "about another message"},
		"fewer deliveries": {func(s string) string { return strings.Replace(s, `{"status":"STORED"}`, "", 1) },
			"another message"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, way load.Way, shape load.Shape) {
				n = 0
				_, url := startFake(t, lies{answer: func(s string) string {
					if n++; n < 20 {
						return s
					}
					return c.answer(s)
				}})
				_, err := run(t, url, way, shape, true)
				if name == "no JSON" && err != nil || name == "fewer deliveries" && shape.Bulk && err != nil {
					return // on a socket the whole message is no JSON, in a bulk a comma is left over
				}
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
			})
		})
	}
}

func TestBadStatusFails(t *testing.T) {
	_, url := startFake(t, lies{status: http.StatusInternalServerError})
	if _, err := run(t, url, load.OverHTTP, load.One(), true); err == nil || !strings.Contains(err.Error(), "not 200") {
		t.Errorf("%v", err)
	}
}

// A call that is refused for now is made again as it was, and counts once; any other refusal is an error at once.
func TestACallIsMadeUntilItIsTaken(t *testing.T) {
	each(t, func(t *testing.T, way load.Way, shape load.Shape) {
		var codes, told []string
		_, url := startFake(t, lies{answer: func(s string) string {
			told = append(told, s)
			if len(codes) == 0 {
				return s
			}
			code := codes[0]
			codes = codes[1:]
			return `{"errors":[{"message":"no","extensions":{"code":"` + code + `"}}],"data":null}`
		}})
		sender := newSender(t, url, way, shape)
		codes = []string{"OVERLOADED", "OUTCOME_UNKNOWN"}
		err := sender.SendAtLast(t.Context(), time.Millisecond)
		if err != nil || len(told) != 3 || told[0] != told[1] || told[1] != told[2] || sender.Envelopes() != int64(shape.Envelopes()) {
			t.Errorf("%v after %q, %d envelopes", err, told, sender.Envelopes())
		}
		codes = []string{"BAD_INPUT"}
		if err := sender.SendAtLast(t.Context(), time.Millisecond); err == nil || len(told) != 4 {
			t.Errorf("%v after %d calls", err, len(told))
		}
	})
}

// newSender makes one who sends to others.
func newSender(t *testing.T, url string, way load.Way, shape load.Shape) *load.Sender {
	t.Helper()
	node, err := load.NewNode(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Close)
	nodes := []*load.Node{node}
	people, err := load.Register(t.Context(), nodes, 1+shape.Envelopes())
	if err != nil {
		t.Fatal(err)
	}
	content, err := load.NewContent(64)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := load.NewSender(t.Context(), 0, people[0], node, way, shape, content, load.NewReceivers(people[1:], nodes, content, 1, load.ReceiverOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sender.Close)
	return sender
}

// Against the real server: what is sent over sockets and over HTTP arrives, live and late.
func TestRealServer(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	for _, way := range []load.Way{load.OverSocket, load.OverHTTP} {
		for _, late := range []bool{false, true} {
			if _, err := run(t, server.URL, way, load.One(), late); err != nil {
				t.Errorf("%s, late %v: %v", way, late, err)
			}
		}
	}
}

// A pair goes in step: each message is there before the next is sent.
func TestLockstep(t *testing.T) {
	ctx := t.Context()
	steps := pair(t, testserver.Start(t, testserver.Options{}).URL)
	if err := steps.Open(ctx); err != nil {
		t.Fatal(err)
	}
	if err := steps.Run(ctx, 20, true); err != nil {
		t.Fatal(err)
	}
	r, err := steps.Close()
	if err != nil || len(r.Sends) != 20 || len(r.Journeys) != 20 {
		t.Errorf("%v, %d calls and %d deliveries", err, len(r.Sends), len(r.Journeys))
	}
}

func TestLockstepFails(t *testing.T) {
	_, url := startFake(t, lies{deliver: func(_ int, e envelope) []envelope { return []envelope{e, e} }})
	steps := pair(t, url)
	if err := steps.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = steps.Run(t.Context(), 20, true)
	if _, err := steps.Close(); err == nil || !strings.Contains(err.Error(), "doubled") {
		t.Errorf("%v", err)
	}
}

func pair(t *testing.T, url string) *load.Lockstep {
	t.Helper()
	node, err := load.NewNode(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Close)
	nodes := []*load.Node{node}
	people, err := load.Register(t.Context(), nodes, 2)
	if err != nil {
		t.Fatal(err)
	}
	content, err := load.NewContent(64)
	if err != nil {
		t.Fatal(err)
	}
	receivers := load.NewReceivers(people[1:], nodes, content, 1, load.ReceiverOptions{})
	sender, err := load.NewSender(t.Context(), 0, people[0], node, load.OverSocket, load.One(), content, receivers)
	if err != nil {
		t.Fatal(err)
	}
	return &load.Lockstep{Sender: sender, Receiver: receivers[0]}
}

// A backlog that is filled while nobody receives is caught up with, and acknowledged at once.
func TestBacklog(t *testing.T) {
	ctx := context.Background()
	steps := pair(t, testserver.Start(t, testserver.Options{}).URL)
	l := &load.Load{Senders: []*load.Sender{steps.Sender}, Envelopes: 250}
	if err := l.Fill(ctx); err != nil {
		t.Fatal(err)
	}
	l.Receivers = []*load.Receiver{steps.Receiver}
	if _, err := l.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := steps.Receiver.AcknowledgeAll(ctx); err != nil || steps.Receiver.Received() != 250 {
		t.Errorf("%v, %d received", err, steps.Receiver.Received())
	}
}

package server_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// clock is one that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// limitedServer is one behind a proxy on loopback, with limits that a test can reach, and its clock stands still.
func limitedServer(t *testing.T, set func(*limits.Limits)) (*testserver.Server, *clock) {
	t.Helper()
	c := &clock{now: time.Now()}
	return testserver.Start(t, testserver.Options{TrustedProxies: []string{"127.0.0.1"}, Limits: set, Now: c.Now}), c
}

// ask asks as the proxy does for somebody. forwarded is what X-Forwarded-For holds in the end.
func ask(t *testing.T, s *testserver.Server, forwarded, token, body string) *testserver.Answer {
	t.Helper()
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/graphql-response+json"}}
	if forwarded != "" {
		header.Set("X-Forwarded-For", forwarded)
	}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return s.Post(t, header, []byte(body))
}

const (
	someone, another = "198.51.100.1", "198.51.100.2"
	versionQuery     = `{"query":"{ server { version } }"}`
	viewerQuery      = `{"query":"{ viewer { id } }"}`
)

func checkLimited(t *testing.T, answer *testserver.Answer, status int) {
	t.Helper()
	if answer.Status != status || answer.Code() != "RATE_LIMITED" || answer.Header.Get("Retry-After") == "" {
		t.Fatalf("status %d, Retry-After %q: %s", answer.Status, answer.Header.Get("Retry-After"), answer.Body)
	}
	if after, _ := answer.Errors[0].Extensions["retryAfterMs"].(float64); after < 100 || after > 60_000 {
		t.Errorf("retryAfterMs %v", after)
	}
	if answer.Errors[0].Extensions["stored"] != "NO" {
		t.Errorf("stored %v", answer.Errors[0].Extensions["stored"])
	}
}

func TestOperationsWithoutTokenAreLimitedByAddress(t *testing.T) {
	s, now := limitedServer(t, func(l *limits.Limits) { l.AddressOperationsPerMinute = 5 })
	for range 5 {
		if answer := ask(t, s, someone, "", versionQuery); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
	}
	checkLimited(t, ask(t, s, someone, "", versionQuery), http.StatusTooManyRequests)
	// What the client has written there itself is left of what the proxy has added.
	for _, forged := range []string{"203.0.113.9, " + someone, "127.0.0.1," + someone, another + ", " + someone} {
		checkLimited(t, ask(t, s, forged, "", versionQuery), http.StatusTooManyRequests)
	}
	// A made-up token is no way past, and neither is one in a form that is no token at all.
	for _, token := range []string{"x", "e30.e30.e30"} {
		checkLimited(t, ask(t, s, someone, token, versionQuery), http.StatusTooManyRequests)
	}
	if answer := ask(t, s, another, "", versionQuery); answer.Code() != "" {
		t.Error("another address is limited as well")
	}
	now.forward(12 * time.Second)
	if answer := ask(t, s, someone, "", versionQuery); answer.Code() != "" {
		t.Errorf("after the wait: %s", answer.Body)
	}
}

// A document that others have sent before is answered without the executor, and is no way past either.
func TestKnownMutationsWithoutTokenAreLimitedByAddress(t *testing.T) {
	s, _ := limitedServer(t, func(l *limits.Limits) { l.AddressOperationsPerMinute = 5 })
	alice, bob := s.Register(t).Devices[0], s.Register(t).Devices[0]
	message := testserver.Message(t, "x", alice, bob)
	body, err := json.Marshal(map[string]any{"query": testserver.SendMessage, "variables": map[string]any{"input": message}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if answer := ask(t, s, another, alice.Token(s.URL), string(body)); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
	}
	for range 5 {
		if answer := ask(t, s, someone, "", string(body)); answer.Code() != "UNAUTHENTICATED" {
			t.Fatal(answer.Body)
		}
	}
	checkLimited(t, ask(t, s, someone, "", string(body)), http.StatusTooManyRequests)
	// So does the first call with each new token, however good.
	const third = "198.51.100.3"
	now := time.Now() // of one second there is one token
	for i := range 6 {
		token := bob.TokenAt(s.URL, now.Add(-time.Duration(i+1)*time.Second))
		if answer := ask(t, s, third, token, string(body)); (answer.Code() == "RATE_LIMITED") != (i >= 4) {
			t.Fatalf("token %d: %s", i, answer.Body)
		}
	}
}

// Nobody is believed about where they come from unless the operator says so.
func TestForwardedForOfStrangersCountsForNothing(t *testing.T) {
	now, log := &clock{now: time.Now()}, &buffer{}
	s := testserver.Start(t, testserver.Options{
		TrustedProxies: []string{"10.0.0.0/8"}, Now: now.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
		Limits: func(l *limits.Limits) { l.AddressOperationsPerMinute = 2 },
	})
	// Loopback is not limited, whoever it says that it speaks for.
	for range 5 {
		if answer := ask(t, s, someone, "", versionQuery); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
	}
	// The operator is asked, once, and not told whose word it was.
	if text := log.String(); strings.Count(text, "LETTERLOCK_TRUSTED_PROXIES") != 1 || strings.Contains(text, someone) {
		t.Errorf("the log says %s", text)
	}
}

func TestRefusedTokensAreLimitedByAddress(t *testing.T) {
	s, _ := limitedServer(t, func(l *limits.Limits) { l.AddressOperationsPerMinute = 20 })
	p := s.Register(t)
	good := p.Devices[0].Token(s.URL)
	if answer := ask(t, s, someone, good, viewerQuery); answer.Code() != "" {
		t.Fatal(answer.Body)
	}
	stranger := testserver.NewPerson(t).Devices[0].Token(s.URL)
	tries := 0
	for ; ask(t, s, someone, stranger, viewerQuery).Code() == "UNAUTHENTICATED"; tries++ {
		if tries > 20 {
			t.Fatal("nothing limits refused tokens")
		}
	}
	checkLimited(t, ask(t, s, someone, stranger, viewerQuery), http.StatusTooManyRequests)
	// Who shares the address goes on with the token that is known.
	if answer := ask(t, s, someone, good, viewerQuery); answer.Code() != "" {
		t.Errorf("the good token: %s", answer.Body)
	}
	if answer := ask(t, s, another, p.Devices[0].TokenAt(s.URL, time.Now().Add(-time.Second)), viewerQuery); answer.Code() != "" {
		t.Errorf("another address: %s", answer.Body)
	}
}

func TestRegistrationsAreLimitedByAddress(t *testing.T) {
	s, now := limitedServer(t, func(l *limits.Limits) { l.AddressRegistrationsPerMinute = 2 })
	register := func(from string, p *testserver.Person) *testserver.Answer {
		return ask(t, s, from, p.Devices[0].Token(s.URL), toJSON(t, testserver.RegisterKey, map[string]any{"input": p.Registration()}))
	}
	for range 2 {
		if answer := register(someone, testserver.NewPerson(t)); answer.Code() != "" {
			t.Fatal(answer.Body)
		}
	}
	late := testserver.NewPerson(t)
	checkLimited(t, register(someone, late), http.StatusOK)
	if answer := register(another, testserver.NewPerson(t)); answer.Code() != "" {
		t.Errorf("another address: %s", answer.Body)
	}
	now.forward(30 * time.Second)
	if answer := register(someone, late); answer.Code() != "" {
		t.Errorf("after the wait: %s", answer.Body)
	}
}

// Several nodes let in as many users of one address as one does, and a node that was started again has forgotten nothing.
func TestRegistrationsAreLimitedOnAllNodes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		now := &clock{now: time.Now()}
		start := func(db *database.DB, metrics string) *testserver.Server {
			return testserver.Start(t, testserver.Options{
				DB: db, TrustedProxies: []string{"127.0.0.1"}, PublicURLs: []string{"https://chat.example.org"}, Now: now.Now, MetricsAddr: metrics,
				Limits: func(l *limits.Limits) { l.AddressRegistrationsPerMinute = 3 },
			})
		}
		register := func(s *testserver.Server, from string, p *testserver.Person) *testserver.Answer {
			return ask(t, s, from, p.Devices[0].Token(s.URL), toJSON(t, testserver.RegisterKey, map[string]any{"input": p.Registration()}))
		}
		here, there := start(db, "127.0.0.1:0"), start(testdb.Reopen(t, db), "")
		first := testserver.NewPerson(t)
		for p, s := range map[*testserver.Person]*testserver.Server{first: here, testserver.NewPerson(t): here, testserver.NewPerson(t): there} {
			if answer := register(s, someone, p); answer.Code() != "" {
				t.Fatal(answer.Body)
			}
		}
		if answer := register(there, someone, first); answer.Code() != "" {
			t.Errorf("who is registered, again: %s", answer.Body)
		}
		late := testserver.NewPerson(t)
		for range 2 {
			checkLimited(t, register(here, someone, late), http.StatusOK)
		}
		if answer := register(here, another, testserver.NewPerson(t)); answer.Code() != "" {
			t.Errorf("another address: %s", answer.Body)
		}
		if text := scrape(t, here).text; !strings.Contains(text, `letterlock_limits_met_total{limit="registrations",scope="all"} 1`) ||
			!strings.Contains(text, `letterlock_limits_met_total{limit="registrations",scope="node"} 1`) {
			t.Error("the metrics do not say that the limit was met by all nodes, and then by this one")
		}
		again := start(testdb.Reopen(t, db), "")
		checkLimited(t, register(again, someone, late), http.StatusOK)
		now.forward(20 * time.Second)
		if answer := register(again, someone, late); answer.Code() != "" {
			t.Errorf("after the wait: %s", answer.Body)
		}
	})
}

// An address that tries invites is limited by each node, and does not use up what others of the address may do elsewhere.
func TestRefusedInvitesCountOnTheirNode(t *testing.T) {
	s := testserver.Start(t, testserver.Options{
		TrustedProxies: []string{"127.0.0.1"}, Registration: invites.Invite, MetricsAddr: "127.0.0.1:0",
		Limits: func(l *limits.Limits) { l.AddressRegistrationsPerMinute = 3 },
	})
	p := testserver.NewPerson(t)
	input := p.Registration()
	for i := range 3 {
		input["invite"] = fmt.Sprint("guess", i)
		answer := ask(t, s, someone, p.Devices[0].Token(s.URL), toJSON(t, testserver.RegisterKey, map[string]any{"input": input}))
		if answer.Code() != "INVITE_REQUIRED" {
			t.Fatal(answer.Body)
		}
	}
	checkLimited(t, ask(t, s, someone, p.Devices[0].Token(s.URL), toJSON(t, testserver.RegisterKey, map[string]any{"input": input})), http.StatusOK)
	if text := scrape(t, s).text; !strings.Contains(text, `letterlock_limits_met_total{limit="registrations",scope="all"} 0`) {
		t.Error("guesses count on all nodes")
	}
}

func TestSocketsAreLimitedByAddress(t *testing.T) {
	s, now := limitedServer(t, func(l *limits.Limits) { l.AddressSocketsPerMinute = 3 })
	from := func(address string) http.Header { return http.Header{"X-Forwarded-For": {address}} }
	for i, protocol := range []string{testserver.Modern, testserver.Legacy, testserver.Modern} {
		if _, _, err := s.TryDial(t, protocol, from(someone)); err != nil {
			t.Fatalf("socket %d: %v", i, err)
		}
	}
	_, response, err := s.TryDial(t, testserver.Modern, from("127.0.0.1, "+someone))
	if err == nil || response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "20" {
		t.Fatalf("%v, %+v", err, response)
	}
	if _, _, err := s.TryDial(t, testserver.Modern, from(another)); err != nil {
		t.Errorf("another address: %v", err)
	}
	now.forward(20 * time.Second)
	if _, _, err := s.TryDial(t, testserver.Modern, from(someone)); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// Where a socket comes from holds for what is asked on it, by either protocol.
func TestOperationsOnSocketsAreLimitedByAddress(t *testing.T) {
	for _, protocol := range []string{testserver.Modern, testserver.Legacy} {
		s, _ := limitedServer(t, func(l *limits.Limits) { l.AddressOperationsPerMinute = 2 })
		socket, _, err := s.TryDial(t, protocol, http.Header{"X-Forwarded-For": {someone}})
		if err != nil {
			t.Fatal(err)
		}
		socket.Init("")
		socket.Expect("connection_ack")
		for range 2 {
			socket.Start("1", `{ server { version } }`, nil)
			socket.Next()
			socket.Expect("complete")
		}
		socket.Start("1", `{ server { version } }`, nil)
		if frame := socket.Expect("error"); !strings.Contains(string(frame.Payload), "RATE_LIMITED") {
			t.Errorf("%s: %s", protocol, frame.Payload)
		}
	}
}

func TestDevicesAreLimited(t *testing.T) {
	s, now := limitedServer(t, func(l *limits.Limits) { l.DeviceOperationsPerMinute = 30 })
	flooder, quiet := s.Register(t).Devices[0], s.Register(t).Devices[0]
	var codes []string
	for range 40 {
		codes = append(codes, s.Send(t, "again", flooder, quiet).Code())
	}
	first := slices.Index(codes, "RATE_LIMITED")
	if first < 20 || codes[0] != "" || slices.ContainsFunc(codes[first:], func(code string) bool { return code != "RATE_LIMITED" }) {
		t.Fatalf("%q", codes)
	}
	answer := s.Send(t, "again", flooder, quiet)
	checkLimited(t, answer, http.StatusOK)
	if got := len(waiting(t, s, quiet)); got != first {
		t.Errorf("%d were stored, %d were acknowledged", got, first)
	}
	// A socket is no way past, and neither is a new token.
	socket := s.Dial(t, testserver.Modern)
	socket.Init(flooder.TokenAt(s.URL, time.Now().Add(-time.Minute)))
	if code, reason := socket.Closed(); code != 1013 || !strings.Contains(reason, "too often") {
		t.Errorf("socket: %d %s", code, reason)
	}
	now.forward(2 * time.Second)
	if answer := s.Send(t, "after the wait", flooder, quiet); answer.Code() != "" {
		t.Errorf("after the wait: %s", answer.Body)
	}
}

package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/server"
	"github.com/letterlock/letterlock/internal/testcert"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testnats"
	"github.com/letterlock/letterlock/internal/testserver"
)

// measured starts a server that serves metrics, and on which three sockets or event streams, and four messages in a mailbox, are too many.
func measured(t *testing.T, db *database.DB) *testserver.Server {
	t.Helper()
	return measuredBy(t, testserver.Options{DB: db})
}

func measuredBy(t *testing.T, options testserver.Options) *testserver.Server {
	t.Helper()
	options.MetricsAddr = "127.0.0.1:0"
	options.Limits = func(l *limits.Limits) { l.MaxSockets, l.MailboxMaxMessages = 2, 3 }
	return testserver.Start(t, options)
}

// measuredNode is measured, on a node that NATS connects with others and that speaks TLS: it has every metric there is.
func measuredNode(t *testing.T) (*testserver.Server, *testnats.Server) {
	t.Helper()
	nats := testnats.Start(t)
	options, _ := withCertificate(testcert.New(t))
	options.NATS = nats.URL
	return measuredBy(t, options), nats
}

// scraped is what the metrics address said.
type scraped struct {
	text     string
	families map[string]*dto.MetricFamily
}

// scrape asks for the metrics.
func scrape(t *testing.T, s *testserver.Server) scraped {
	t.Helper()
	status, text := fetch(t, s, "/metrics")
	if status != http.StatusOK {
		t.Fatalf("metrics: %d %s", status, text)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return scraped{text, families}
}

// fetch gets a page of the metrics address.
func fetch(t *testing.T, s *testserver.Server, path string) (int, string) {
	t.Helper()
	other := *s
	other.Scheme, other.Addr = "http", s.Inner.MetricsAddr().String()
	answer := other.Do(t, http.MethodGet, path, nil, nil)
	return answer.Status, answer.Body
}

// value gives a counter, a gauge, or the count of a histogram, of the series with these labels, like code=OVERLOADED.
func (s scraped) value(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	for _, m := range s.families[name].GetMetric() {
		if !hasLabels(m, labels) {
			continue
		}
		if h := m.GetHistogram(); h != nil {
			return float64(h.GetSampleCount())
		}
		return m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	t.Errorf("there is no %s %v", name, labels)
	return 0
}

func hasLabels(m *dto.Metric, want []string) bool {
	var have []string
	for _, l := range m.GetLabel() {
		have = append(have, l.GetName()+"="+l.GetValue())
	}
	for _, label := range want {
		if !strings.Contains(" "+strings.Join(have, " ")+" ", " "+label+" ") {
			return false
		}
	}
	return true
}

// busy has people write, listen, fetch and fail on a server, and gives everything that names one of them or their messages.
func busy(t *testing.T, s *testserver.Server) (names map[string]string) {
	t.Helper()
	alice, bob, carol := s.Register(t), s.Register(t), s.Register(t)
	a, b, c := alice.Devices[0], bob.Devices[0], carol.Devices[0]
	token := a.Token(s.URL)
	names = map[string]string{
		"sender": a.ID(), "sending user": alice.ID.String(), "recipient": b.ID(), "receiving user": bob.ID.String(),
		"third device": c.ID(), "token": strings.Split(token, ".")[2][:40], "user key": testserver.Bytes(keyOf(alice)),
	}
	write := func(to *testserver.Device) {
		input := testserver.Message(t, "hello", a, to)
		names["message id "+fmt.Sprint(len(names))] = fmt.Sprint(input["messageId"])
		names["ciphertext "+fmt.Sprint(len(names))] = fmt.Sprint(first(first(input, "recipients"), "envelopes")["ciphertext"])
		s.Query(t, token, testserver.SendMessage, map[string]any{"input": input}).Into(t, &struct{}{})
	}

	// Two messages wait, one comes while Bob listens, and one is too many.
	write(b)
	write(b)
	listening := s.Open(t, testserver.Modern, b.Token(s.URL))
	listening.Start("1", testserver.Received, nil)
	listening.Next()
	listening.Next()
	write(b)
	last := received(t, listening.Next())
	names["cursor"], names["row id"] = last.Cursor, last.ID
	write(b)
	s.Query(t, b.Token(s.URL), testserver.Acknowledge, map[string]any{"upTo": last.Cursor}).Into(t, &struct{}{})

	write(c)
	if n := len(waiting(t, s, c)); n != 1 {
		t.Fatalf("%d messages wait", n)
	}
	s.Stream(t.Context(), t, c.Token(s.URL), testserver.Received, nil).Next()

	// What fails shows names in every place that a caller can put them.
	s.Query(t, token+"x", `{ viewer { id } }`, nil)
	s.Query(t, token, `query `+a.ID()+`($id: ID!) { user(id: $id) { id } `+bob.ID.String()+` }`, map[string]any{"id": bob.ID.String()})
	s.Query(t, token, `{ server { version } } #`+a.ID()+` }`, nil)
	s.Query(t, token, testserver.Acknowledge, map[string]any{"upTo": last.Cursor})
	s.Do(t, http.MethodGet, "/"+bob.ID.String()+"?"+token, nil, nil)
	s.Do(t, "X-"+strings.ToUpper(a.ID()), "/graphql", http.Header{"Accept": {c.ID()}}, nil)
	if _, response, err := s.TryDial(t, testserver.Modern, nil); err == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("a socket too many: %v", err)
	}
	return names
}

// The metrics of a server say what has happened on it.
func TestMetricsTellWhatHappened(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := measured(t, db)
		busy(t, s)
		// HTTP requests are counted after their answers.
		waitFor(t, "all requests to be counted", func() bool {
			return scrape(t, s).value(t, "letterlock_http_requests_total", "route=/graphql", "status=5xx") == 1
		})
		seen := scrape(t, s)
		for _, want := range []struct {
			value  float64
			name   string
			labels string
		}{
			{1, "letterlock_ready", ""},
			{1, "letterlock_build_info", "version=test"},
			{4, "letterlock_envelopes_accepted_total", ""},
			{1, "letterlock_envelopes_mailbox_full_total", ""},
			{4, "letterlock_messages_delivered_total", ""},
			{1, "letterlock_delivery_lag_seconds", ""}, // the others were there before
			{3, "letterlock_messages_acknowledged_total", ""},
			{0, "letterlock_messages_expired_total", ""},
			{0, "letterlock_queue_depth", ""},
			{1, "letterlock_sockets_open", ""},
			{2, "letterlock_subscriptions_open", ""},
			{7, "letterlock_queue_wait_seconds", ""}, // five sends, two acknowledgements
			{7, "letterlock_commit_duration_seconds", "outcome=committed"},
			{0, "letterlock_commit_duration_seconds", "outcome=failed"},
			{2, "letterlock_graphql_operations_total", "kind=subscription code=OK"},
			{1, "letterlock_graphql_operations_total", "kind=mutation code=CURSOR_INVALID"},
			{1, "letterlock_graphql_operations_total", "kind=none code=GRAPHQL_VALIDATION_FAILED"},
			{1, "letterlock_refusals_total", "code=UNAUTHENTICATED"},
			{1, "letterlock_refusals_total", "code=OVERLOADED"},
			{0, "letterlock_refusals_total", "code=INTERNAL"},
			{1, "letterlock_http_requests_total", "route=/ status=4xx"}, // what is no other route is the pages'
		} {
			if got := seen.value(t, want.name, strings.Fields(want.labels)...); got != want.value {
				t.Errorf("%s %s is %v, want %v", want.name, want.labels, got, want.value)
			}
		}
		for _, name := range []string{
			"letterlock_token_cache_total result=hit", "letterlock_token_cache_total result=miss",
			"letterlock_wakeups_total direction=in", "letterlock_wakeups_total direction=out",
			"letterlock_page_read_messages", "letterlock_page_read_duration_seconds outcome=ok",
			"letterlock_database_connections_max", "go_goroutines", "process_open_fds",
			"letterlock_graphql_operation_duration_seconds kind=mutation", "letterlock_http_request_duration_seconds route=/graphql",
		} {
			parts := strings.Fields(name)
			if seen.value(t, parts[0], parts[1:]...) <= 0 {
				t.Errorf("%s is 0", name)
			}
		}
	})
}

// The metrics of a busy server name nobody: no label, and nothing else, holds what was put into requests or came of them.
func TestMetricsNameNobody(t *testing.T) {
	s := measured(t, nil)
	names := busy(t, s)
	seen := scrape(t, s)
	text := strings.ToLower(seen.text)
	for what, name := range names {
		if strings.Contains(text, strings.ToLower(name)) && what != "row id" {
			t.Errorf("the metrics hold the %s", what)
		}
	}
	for name, family := range seen.families {
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == names["row id"] || len(l.GetValue()) > 32 {
					t.Errorf("%s has the label %s=%q", name, l.GetName(), l.GetValue())
				}
			}
		}
	}
	if len(seen.families) < 40 {
		t.Errorf("only %d metrics were looked at", len(seen.families))
	}
}

// A node shows whether it can tell others, and what it could not tell them. A node that is alone shows nothing of it: an alert
// for nodes that have lost NATS is not for it.
func TestMetricsTellOfNATS(t *testing.T) {
	for name := range scrape(t, measured(t, nil)).families {
		if strings.HasPrefix(name, "letterlock_nats_") {
			t.Errorf("a node without NATS has %s", name)
		}
	}
	s, nats := measuredNode(t)
	value := func(name string, labels ...string) float64 {
		return scrape(t, s).value(t, "letterlock_nats_"+name, labels...)
	}
	alice := s.Register(t).Devices[0]
	send := func() { s.Send(t, "hello", alice, alice).Into(t, &struct{}{}) }
	waitFor(t, "the node to be connected", func() bool { return value("connected") == 1 })
	send()
	waitFor(t, "a frame to be counted", func() bool { return value("frames_total", "direction=out") == 1 })
	if dropped, damaged := value("hints_dropped_total"), value("frames_damaged_total"); dropped+damaged != 0 {
		t.Errorf("%v hints are dropped and %v frames damaged, it is said", dropped, damaged)
	}
	nats.Stop()
	waitFor(t, "the node to miss NATS", func() bool { return value("connected") == 0 })
	send()
	waitFor(t, "a hint to be dropped", func() bool { return value("hints_dropped_total") == 1 })
}

// Metrics and profiles are served nowhere unless an address is given, and never on the main one.
func TestMetricsAreApart(t *testing.T) {
	plain := testserver.Start(t, testserver.Options{})
	if addr := plain.Inner.MetricsAddr(); addr != nil {
		t.Errorf("metrics are served on %s", addr)
	}
	s := measured(t, nil)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap"} {
		if answer := s.Do(t, http.MethodGet, path, nil, nil); answer.Status != http.StatusNotFound {
			t.Errorf("%s on the main address: %d", path, answer.Status)
		}
		if status, _ := fetch(t, s, path); status != http.StatusOK {
			t.Errorf("%s on the metrics address: %d", path, status)
		}
	}
	if status, _ := fetch(t, s, "/graphql"); status != http.StatusNotFound {
		t.Errorf("/graphql on the metrics address: %d", status)
	}
}

// Whoever drains a server can see it do so, and when it has stopped, the metrics have, too: a profile does not hold it up.
func TestMetricsLastUntilTheEnd(t *testing.T) {
	s := testserver.Start(t, testserver.Options{
		MetricsAddr: "127.0.0.1:0", Limits: func(l *limits.Limits) { l.DrainDelay = time.Second },
	})
	if ready := scrape(t, s).value(t, "letterlock_ready"); ready != 1 {
		t.Errorf("ready is %v", ready)
	}
	profile, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"http://"+s.Inner.MetricsAddr().String()+"/debug/pprof/trace?seconds=100", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(profile) // A trace sends its beginning at once.
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	waitFor(t, "readiness to go", func() bool { return scrape(t, s).value(t, "letterlock_ready") == 0 })
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	again, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Inner.MetricsAddr().String()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(again); err == nil {
		_ = response.Body.Close()
		t.Error("the metrics address still answers")
	}
}

// A metrics address that cannot be had stops the start, and the error names the variable.
func TestMetricsAddressIsChecked(t *testing.T) {
	s := measured(t, nil)
	for _, addr := range []string{"9090", s.Inner.MetricsAddr().String()} {
		_, err := server.New(t.Context(), server.Config{
			Addr: "127.0.0.1:0", MetricsAddr: addr, Limits: limits.Default(), Database: database.Config{DataDir: t.TempDir()},
		})
		if err == nil || !strings.Contains(err.Error(), "LETTERLOCK_METRICS_ADDR") {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

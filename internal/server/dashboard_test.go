package server_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	dto "github.com/prometheus/client_model/go"
)

// Where the files lie that operators load.
const (
	dashboardFile = "../../deploy/grafana/letterlock.json"
	alertsFile    = "../../deploy/prometheus/alerts.yml"
)

// Every metric, label and fixed value that the dashboard and the alerts go by is there on a running server: a graph that
// stays empty, and an alert that never comes, look like a good day.
func TestDashboardAndAlertsNameWhatExists(t *testing.T) {
	s, _ := measuredNode(t)
	busy(t, s)
	// HTTP requests are counted after their answers.
	waitFor(t, "all requests to be counted", func() bool {
		return strings.Contains(scrape(t, s).text, `status="5xx"`)
	})
	seen := scrape(t, s)
	for file, queries := range map[string][]string{dashboardFile: dashboardQueries(t), alertsFile: alertQueries(t)} {
		for _, query := range queries {
			for _, wrong := range seen.misses(query) {
				t.Errorf("%s: there is no %s, in\n  %s", file, wrong, query)
			}
		}
	}
	if misses := seen.misses(`rate(letterlock_gone_total{code="X"}[5m]) + letterlock_refusals_total{code="GONE", no="1"}`); len(misses) != 3 {
		t.Errorf("the test misses nothing that is missing: it finds %v", misses)
	}
}

// What the dashboard says of now is asked for now: the last value of a range would show a node that is gone as ready, for hours.
func TestDashboardShowsWhoIsThereNow(t *testing.T) {
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			if now := target.Instant && !target.Range; now != (panel.Type == "stat") {
				t.Errorf("the panel %q, a %s, asks for one moment: %v", panel.Title, panel.Type, now)
			}
		}
	}
}

// No panel lies on another or beyond the 24 columns, and what is set for one line is set for a line that there is.
func TestDashboardIsLaidOut(t *testing.T) {
	taken := map[[2]int]string{}
	for _, panel := range readDashboard(t).Panels {
		at := panel.GridPos
		if at.X < 0 || at.W < 1 || at.H < 1 || at.X+at.W > 24 {
			t.Errorf("the panel %q lies beside the dashboard: %+v", panel.Title, at)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other, lies := taken[[2]int{x, y}]; lies {
					t.Fatalf("the panels %q and %q lie on each other", other, panel.Title)
				}
				taken[[2]int{x, y}] = panel.Title
			}
		}
		for _, override := range panel.FieldConfig.Overrides {
			if override.Matcher.ID == "byName" && !slices.ContainsFunc(panel.Targets, func(line target) bool { return line.LegendFormat == override.Matcher.Options }) {
				t.Errorf("the panel %q has no line %v", panel.Title, override.Matcher.Options)
			}
		}
	}
}

// dashboard is what the tests read of the file.
type dashboard struct {
	Panels []struct {
		ID          int
		Type, Title string
		GridPos     struct{ X, Y, W, H int }
		Targets     []target
		FieldConfig struct {
			Overrides []struct {
				Matcher struct {
					ID      string
					Options any
				}
			}
		}
	}
	Templating struct {
		List []struct{ Name, Definition string }
	}
}

// target is a query of a panel.
type target struct {
	Expr, LegendFormat string
	Instant, Range     bool
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func dashboardQueries(t *testing.T) (queries []string) {
	t.Helper()
	dashboard := readDashboard(t)
	ids := map[int]bool{}
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] {
			t.Errorf("two panels have the id %d", panel.ID)
		}
		ids[panel.ID] = true
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("the panel %q asks for nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			queries = append(queries, target.Expr)
		}
	}
	for _, variable := range dashboard.Templating.List {
		queries = append(queries, variable.Definition)
	}
	if len(queries) < 30 {
		t.Errorf("the dashboard has only %d queries", len(queries))
	}
	return queries
}

func alertQueries(t *testing.T) (queries []string) {
	t.Helper()
	var alerts struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	text, err := os.ReadFile(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(text, &alerts, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if len(alerts.Groups) != 1 {
		t.Fatalf("%d groups", len(alerts.Groups))
	}
	for _, rule := range alerts.Groups[0].Rules {
		if rule.Alert == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" {
			t.Errorf("the alert %q lacks its name, severity or summary", rule.Alert)
		}
		queries = append(queries, rule.Expr)
	}
	if len(queries) < 5 {
		t.Errorf("there are only %d alerts", len(queries))
	}
	return queries
}

var (
	metricPattern  = regexp.MustCompile(`\b((?:letterlock|go|process)_[a-z0-9_]+)\b(?:\{([^}]*)\})?`)
	matcherPattern = regexp.MustCompile(`([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
)

// misses gives what a query names and the server does not have.
func (s scraped) misses(query string) (missing []string) {
	for _, found := range metricPattern.FindAllStringSubmatch(query, -1) {
		family := s.familyOf(found[1])
		if family == nil {
			missing = append(missing, found[1])
			continue
		}
		for _, matcher := range matcherPattern.FindAllStringSubmatch(found[2], -1) {
			if name := matcher[1]; name == "instance" || name == "job" {
				continue // These Prometheus adds.
			}
			for _, value := range strings.Split(matcher[3], "|") {
				if !hasValue(family, matcher[1], value) {
					missing = append(missing, found[1]+"{"+matcher[1]+"=\""+value+"\"}")
				}
			}
		}
	}
	return missing
}

// familyOf finds a metric by its name, or by the names that a histogram has in queries.
func (s scraped) familyOf(name string) *dto.MetricFamily {
	if family := s.families[name]; family != nil {
		return family
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		base, found := strings.CutSuffix(name, suffix)
		if family := s.families[base]; found && family.GetType() == dto.MetricType_HISTOGRAM {
			return family
		}
	}
	return nil
}

func hasValue(family *dto.MetricFamily, label, value string) bool {
	return slices.ContainsFunc(family.GetMetric(), func(m *dto.Metric) bool {
		return hasLabels(m, []string{label + "=" + value})
	})
}

// Every metric of ours has its row in docs/operating.md, with its labels, and every row there is a metric.
func TestMetricsAreDocumented(t *testing.T) {
	s, _ := measuredNode(t)
	busy(t, s)
	seen := scrape(t, s)
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "### What the metrics mean")
	documented := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \|`).FindAllStringSubmatch(section, -1) {
		for _, metric := range regexp.MustCompile("`([a-z_]+)(?:{([a-z_,]+)})?`").FindAllStringSubmatch(row[1], -1) {
			documented["letterlock_"+metric[1]] = metric[2]
		}
	}
	for name := range documented {
		if seen.families[name] == nil {
			t.Errorf("docs/operating.md has a row for %s, which does not exist", name)
		}
	}
	for name, family := range seen.families {
		if !strings.HasPrefix(name, "letterlock_") {
			continue
		}
		var labels []string
		for _, l := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		in, found := documented[name]
		names := strings.FieldsFunc(in, func(r rune) bool { return r == ',' })
		slices.Sort(names)
		slices.Sort(labels)
		if !found || !slices.Equal(names, labels) {
			t.Errorf("docs/operating.md lacks a row for %s with the labels %v", name, labels)
		}
	}
}

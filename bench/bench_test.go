package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/load"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testmain"
)

// Every scenario runs, small, against the real binary, so that none can rot. What it finds is no measurement.
func TestScenarios(t *testing.T) {
	t.Parallel()
	binary := built(t)
	document := filepath.Join(t.TempDir(), "performance.md")
	results := filepath.Join(t.TempDir(), "results.json")
	var blocks strings.Builder
	for _, name := range []string{"machine", "live", "many", "pair", "idle", "storm", "delivery", "backlog", "start", "nodes", "soak"} {
		blocks.WriteString("<!-- bench:begin " + name + " -->\n<!-- bench:end " + name + " -->\n")
	}
	if err := os.WriteFile(document, []byte(blocks.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	b := &bench{out: &out, log: &log, options: options{
		Binary: binary, Database: os.Getenv(testdb.PostgresVariable), Warmup: 20 * time.Millisecond, Duration: 500 * time.Millisecond,
		Size: 64, Document: document, JSON: results,
	}}
	needPostgres(t, b)
	for name, scenario := range map[string]interface {
		Run(ctx context.Context, b *bench) error
	}{
		"live":     &live{Senders: 4, Receivers: 2, Ways: []load.Way{load.OverSocket, load.OverHTTP}},
		"many":     &many{Senders: 2, Receivers: 3, Messages: 4, Recipients: 2},
		"pair":     &pair{Messages: 20},
		"idle":     &idle{Connections: few + 50, PingInterval: time.Second},
		"storm":    &storm{Devices: 100, Waiting: 10, Each: 2, Senders: 2, Down: 100 * time.Millisecond, Most: 1, All: true},
		"delivery": &delivery{Messages: 50, Burst: 5, Bursts: 10},
		"backlog":  &backlog{Envelopes: 300, More: 600, Senders: 2},
		"start":    &start{Times: 1},
		"nodes":    &nodes{Most: 2, Senders: 2, Receivers: 2, Few: 1},
		"soak":     &soak{Messages: 200, Every: 50, Senders: 2, Receivers: 2},
	} {
		if b.Runs = 1; name == "idle" {
			b.Runs = 2 // over the same people
		}
		if err := scenario.Run(t.Context(), b); err != nil {
			t.Errorf("%s: %v\n%s", name, err, log.String())
		}
	}
	published, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"| speed of the machine: pieces of work per second of CPU |", ", 600 |"}
	if b.Database != "" {
		want = append(want, "| write-ahead log per message |", "| write-ahead log per envelope |", "| a remembered id, with its index |", "| of these, waiting for a lock that another holds |")
	}
	for _, row := range append(want, "| messages delivered/s |", "| CPU per message: load generator |", "| resident memory per connection |", "| difference: a delivery |",
		"| envelopes/s until caught up |", "| all are |", "| first answer after |", "| envelopes | envelopes/s |", "fsync") {
		if !strings.Contains(string(published), row) || !strings.Contains(out.String()+string(published), row) {
			t.Errorf("%q is missing in\n%s", row, published)
		}
	}
	checkResults(t, results)
}

// The server looks for what has expired once a minute, so that this takes as long.
func TestExpiry(t *testing.T) {
	t.Parallel()
	var out, log bytes.Buffer
	b := &bench{out: &out, log: &log, options: options{Binary: built(t), Database: os.Getenv(testdb.PostgresVariable), Size: 64}}
	needPostgres(t, b)
	x := &expiry{Messages: 200, Every: 100, Rate: 1_000_000, Senders: 2, Receivers: 2, Call: 5, ExpiresIn: 1}
	if err := x.Run(t.Context(), b); err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
	if told := out.String() + log.String(); !strings.Contains(told, ", as many as were accepted") && !strings.Contains(told, "--database") {
		t.Error(told)
	}
}

// built gives the real binary.
func built(t *testing.T) string {
	t.Helper()
	binary, err := testmain.Server(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func needPostgres(t *testing.T, b *bench) {
	t.Helper()
	if b.Database == "" && os.Getenv("CI") != "" {
		t.Fatalf("%s is not set, and in CI every test runs", testdb.PostgresVariable)
	}
}

func checkResults(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Scenarios results }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	rate := all.Scenarios["live"]["sqlite, socket"]["delivered_per_second"]
	cpu := all.Scenarios["live"]["sqlite, socket"]["server_cpu"]
	if rate.Median <= 0 || len(rate.Runs) != 1 || cpu.Median <= 0 || cpu.Median > 1 {
		t.Errorf("%+v %+v in\n%s", rate, cpu, text)
	}
}

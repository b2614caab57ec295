package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// names are those of all blocks.
var names = []string{"measured", "database", "nodes", "ids", "rows", "storm", "connects"}

func TestRun_RenewsWhatIsMarkedAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scaling.md")
	var before strings.Builder
	for _, name := range names {
		before.WriteString("by hand\n<!-- scaling:begin " + name + " -->\nold\n<!-- scaling:end " + name + " -->\n")
	}
	if err := os.WriteFile(path, []byte(before.String()+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := run("testdata/bench.json", path); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for _, want := range []string{"by hand\n<!-- scaling:begin measured -->\n|", "-->\nby hand\n<!-- scaling:begin database -->\n**", "-->\nafter\n", "| 107 µs | 9,350/s |", "| 1,000 | 100,000,000 |",
		"device that listens by NATS: server | 500 B |", "0, 10 and 46 % of", "80, 80 and 80 % for the log", "live again 6.1 to 7.2 s after", "and after 14.7 s if", "with 0.56 ms a connection"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "old\n") || strings.Count(text, "by hand") != len(names) {
		t.Errorf("an old block is left, or something else was changed:\n%s", text)
	}
}

// What docs/scaling.md says of figures is what the tool makes of those that are kept.
func TestDocumentIsOfTheFiguresThatAreKept(t *testing.T) {
	content, err := os.ReadFile("../../../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := renewed("../../../docs/bench.json", string(content))
	if err != nil {
		t.Fatal(err)
	}
	if want != string(content) {
		t.Error("docs/scaling.md is not of docs/bench.json: go run ./internal/tools/scaling docs/bench.json")
	}
}

func TestRun_WritesNothingIfSomethingIsMissing(t *testing.T) {
	dir := t.TempDir()
	path, figures := filepath.Join(dir, "scaling.md"), filepath.Join(dir, "bench.json")
	const before = "<!-- scaling:begin measured -->\n<!-- scaling:end measured -->\n"
	for file, content := range map[string]string{path: before, figures: `{"scenarios":{"live":{}}}`} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(figures, path); err == nil || !strings.Contains(err.Error(), "live / postgresql, socket / server_cpu") {
		t.Errorf("figures are missing: %v", err)
	}
	if err := run("testdata/bench.json", path); err == nil || !strings.Contains(err.Error(), "scaling:begin database") {
		t.Errorf("a block is missing: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != before {
		t.Errorf("the document has changed: %s, %v", after, err)
	}
}

// What costs twice as much takes twice as many databases; one node needs no NATS.
func TestEstimate(t *testing.T) {
	f, err := readFigures("testdata/bench.json")
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.costs()
	if err != nil {
		t.Fatal(err)
	}
	one, many := assumed.estimate(c, 1), assumed.estimate(c, 1000)
	if one.hints != 0 || one.natsMemory != 0 {
		t.Errorf("one node tells others: %+v", one)
	}
	if many.messages != 1000*one.messages || many.servers < 2 {
		t.Errorf("a thousand nodes: %+v", many)
	}
	c.messageDatabase *= 2
	if one.log != one.messages*1100 {
		t.Errorf("%v bytes of log a second", one.log)
	}
	if twice := assumed.estimate(c, 1000); twice.databaseCores != 2*many.databaseCores || twice.servers < 2*many.servers-1 {
		t.Errorf("%v servers, at twice the cost %v", many.servers, twice.servers)
	}
}

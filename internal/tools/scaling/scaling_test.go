package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun_RenewsWhatIsMarkedAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scaling.md")
	block := func(name string) string {
		return "<!-- scaling:begin " + name + " -->\nold\n<!-- scaling:end " + name + " -->\n"
	}
	if err := os.WriteFile(path, []byte("before\n"+block("measured")+"between\n"+block("nodes")+"after\n"), 0o600); err != nil {
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
	for _, want := range []string{"before\n<!-- scaling:begin measured -->\n|", "-->\nbetween\n<!-- scaling:begin nodes -->\n", "-->\nafter\n", "| 107 µs | 9,350/s |", "| 1,000 | 100,000,000 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "old") {
		t.Errorf("an old block is left:\n%s", text)
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
	if err := run("testdata/bench.json", path); err == nil || !strings.Contains(err.Error(), "scaling:begin nodes") {
		t.Errorf("a block is missing: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != before {
		t.Errorf("the document has changed: %s, %v", after, err)
	}
}

// What costs twice as much takes twice as many databases; one node needs no NATS.
func TestEstimate(t *testing.T) {
	c, err := readCosts("testdata/bench.json")
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
	if twice := assumed.estimate(c, 1000); twice.databaseCores != 2*many.databaseCores || twice.servers < 2*many.servers-1 {
		t.Errorf("%v servers, at twice the cost %v", many.servers, twice.servers)
	}
}

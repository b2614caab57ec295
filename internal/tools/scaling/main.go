// Command scaling renews the arithmetic in docs/scaling.md from what bench has measured:
//
//	go run ./internal/tools/scaling FIGURES.json [DOCUMENT.md]
//
// FIGURES.json is what `bin/bench all --json` has written; scripts/bench.sh keeps it as docs/bench.json and calls this after a run of
// everything.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// document is seen from the root of the repository.
const document = "docs/scaling.md"

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		_, _ = fmt.Fprintln(os.Stderr, "usage: go run ./internal/tools/scaling FIGURES.json [DOCUMENT.md]")
		os.Exit(2)
	}
	path := document
	if len(os.Args) == 3 {
		path = os.Args[2]
	}
	if err := run(os.Args[1], path); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "scaling:", err)
		os.Exit(1)
	}
}

// run renews all blocks, or none.
func run(figures, path string) error {
	content, err := os.ReadFile(path) //nolint:gosec // the file that was asked for
	if err != nil {
		return err
	}
	text, err := renewed(figures, string(content))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // a document
}

// renewed gives the document with its blocks as the figures have them.
func renewed(path, text string) (string, error) {
	f, err := readFigures(path)
	if err != nil {
		return "", err
	}
	costs, err := f.costs()
	if err != nil {
		return "", err
	}
	blocks := []struct{ name, text string }{
		{"measured", costs.markdown()},
		{"database", assumed.database(costs)},
		{"nodes", assumed.markdown(costs)},
		{"ids", costs.ids()},
		{"rows", f.rows()},
		{"storm", f.storm()},
		{"connects", costs.connects()},
	}
	if err := errors.Join(f.missing...); err != nil {
		return "", err
	}
	for _, b := range blocks {
		if text, err = replaceBlock(text, b.name, b.text); err != nil {
			return "", err
		}
	}
	return text, nil
}

// replaceBlock replaces what stands between the markers of a name. What is around them is written by hand.
func replaceBlock(document, name, text string) (string, error) {
	begin, end := "<!-- scaling:begin "+name+" -->\n", "<!-- scaling:end "+name+" -->"
	before, rest, found := strings.Cut(document, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("there is no block for %s: it begins with %q and ends with %q", name, strings.TrimSpace(begin), end)
	}
	return before + begin + strings.TrimRight(text, "\n") + "\n" + end + after, nil
}

package main

import (
	"fmt"
	"os"
	"strings"
)

// renew replaces what stands between the markers of a name in a Markdown file. What is around them is written by hand.
func renew(path, name, text string) error {
	content, err := os.ReadFile(path) //nolint:gosec // the file that was asked for
	if err != nil {
		return err
	}
	changed, err := replaceBlock(string(content), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(changed), 0o644) //nolint:gosec // a document
}

func replaceBlock(document, name, text string) (string, error) {
	begin, end := "<!-- bench:begin "+name+" -->\n", "<!-- bench:end "+name+" -->"
	before, rest, found := strings.Cut(document, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("there is no block for %s: it begins with %q and ends with %q", name, strings.TrimSpace(begin), end)
	}
	return before + begin + strings.TrimRight(text, "\n") + "\n" + end + after, nil
}

package main

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs/reliability.md names tests and scenarios that there are.
func TestReliabilityNamesWhatThereIs(t *testing.T) {
	page, err := os.ReadFile("../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := allTests(t)
	for _, match := range regexp.MustCompile("`(?:Test([A-Z][A-Za-z_]+)|(Contract[0-9]*_[A-Za-z]+))`").FindAllStringSubmatch(string(page), -1) {
		if !strings.Contains(tests, "func Test"+match[1]+match[2]+"(") {
			t.Errorf("there is no test %s", match[0])
		}
	}
	for _, s := range scenarios() {
		if !strings.Contains(string(page), "| `"+s.name+"` |") {
			t.Errorf("the scenario %s is not told of", s.name)
		}
	}
}

// allTests gives the text of every test file.
func allTests(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "node_modules":
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := fs.ReadFile(root, path)
		text.Write(file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

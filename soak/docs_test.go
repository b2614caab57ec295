package main

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// fewestTests is how many tests the page names at least.
const fewestTests = 60

// docs/reliability.md names tests and scenarios that there are.
func TestReliabilityNamesWhatThereIs(t *testing.T) {
	page, err := os.ReadFile("../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := allTests(t)
	matches := regexp.MustCompile("`(?:Test([A-Z][A-Za-z_]+)|(Contract[0-9]*_[A-Za-z]+))`").FindAllStringSubmatch(string(page), -1)
	if len(matches) < fewestTests {
		t.Errorf("%d tests were found on the page: it names more, and this looks for them in vain", len(matches))
	}
	for _, match := range matches {
		if !strings.Contains(tests, "func Test"+match[1]+match[2]+"(") {
			t.Errorf("there is no test %s", match[0])
		}
	}
	for _, s := range scenarios() {
		if !strings.Contains(string(page), "| `"+s.name+"` |") {
			t.Errorf("the scenario %s is not told of", s.name)
		}
		for _, store := range s.stores {
			if !strings.Contains(string(page), "| "+s.name+" | "+store+" |") {
				t.Errorf("there are no figures of %s on %s", s.name, store)
			}
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

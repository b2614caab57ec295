package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

const threatModel = "docs/threat-model.md"

// Every test that the threat model names is one.
func TestThreatModelNamesTestsThatExist(t *testing.T) {
	text := read(t, threatModel)
	tests := testSources(t)
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`").FindAllStringSubmatch(text, -1)
	if len(named) < 100 {
		t.Fatalf("only %d tests are named", len(named))
	}
	for _, name := range named {
		if name[1] != "TestLaw" && !strings.Contains(tests, "\nfunc "+name[1]+"(") {
			t.Errorf("there is no %s", name[1])
		}
	}
	quoted := regexp.MustCompile(`"([a-z][^"|]{20,})"`).FindAllStringSubmatch(text, -1)
	if len(quoted) < 3 {
		t.Fatalf("only %d tests of the web client are named", len(quoted))
	}
	for _, name := range quoted {
		if !strings.Contains(tests, "test('"+name[1]+"'") {
			t.Errorf("there is no test %q", name[1])
		}
	}
}

// The table of what the server learns has each column that the server stores, and no other.
func TestThreatModelHasEveryColumn(t *testing.T) {
	_, table, _ := strings.Cut(read(t, threatModel), "\n## What the server learns\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var told []string
	for _, name := range regexp.MustCompile("`([a-z_]+\\.[a-z_]+)`").FindAllStringSubmatch(table, -1) {
		told = append(told, name[1])
	}
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		stored := testdb.Columns(t, db)
		for _, column := range stored {
			if !slices.Contains(told, column) {
				t.Errorf("%s is stored, and the threat model does not say so", column)
			}
		}
		for _, column := range told {
			if !slices.Contains(stored, column) {
				t.Errorf("%s is said to be stored, and there is no such column", column)
			}
		}
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// testSources is the text of all tests.
func testSources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "dist" || entry.Name() == ".git"):
			return fs.SkipDir
		case strings.HasSuffix(path, "_test.go"), strings.HasSuffix(path, ".test.mjs"):
			all.WriteString("\n" + read(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

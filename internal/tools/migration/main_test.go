package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

func TestBothDialectsGetTheNextNumber(t *testing.T) {
	dir := migrationsIn(t, "sqlite/0001_initial.sql", "sqlite/0009_more.sql", "postgres/0001_initial.sql", "postgres/notes.txt")
	texts := map[database.Dialect]string{database.SQLite: "-- +goose Up\nDROP TABLE x;\n", database.PostgreSQL: ""}
	if err := write(dir, "drop_x", texts); err != nil {
		t.Fatal(err)
	}
	for dialect, want := range map[string]string{"sqlite": "DROP TABLE x;", "postgres": "Nothing to do"} {
		text, err := os.ReadFile(filepath.Join(dir, dialect, "0010_drop_x.sql"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "-- +goose Up\n") || !strings.Contains(string(text), want) {
			t.Errorf("%s: %q", dialect, text)
		}
	}
}

func TestNothingIsWrittenIfNothingHasChanged(t *testing.T) {
	testdb.Config(t, database.PostgreSQL) // skips where there is none
	dir := migrationsIn(t)
	if err := run(t.Context(), dir, "nothing", os.Getenv(testdb.PostgresVariable)); err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*", "*")); err != nil || len(files) > 0 {
		t.Errorf("wrote %v, %v", files, err)
	}
}

func TestRunRefuses(t *testing.T) {
	dir := migrationsIn(t)
	for _, name := range []string{"", "Name", "a b", "../a", "a__b", "a.sql"} {
		if err := run(t.Context(), dir, name, "postgres://localhost/x"); err == nil || !strings.Contains(err.Error(), "no name") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := run(t.Context(), dir, "good", ""); err == nil || !strings.Contains(err.Error(), testdb.PostgresVariable) {
		t.Errorf("without PostgreSQL: %v", err)
	}
}

func migrationsIn(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, dialect := range []string{"sqlite", "postgres"} {
		if err := os.Mkdir(filepath.Join(dir, dialect), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

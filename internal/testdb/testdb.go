// Package testdb gives tests fresh databases, SQLite and PostgreSQL.
package testdb

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb/scratch"
)

// PostgresVariable names the environment variable with the URL of a PostgreSQL maintenance database (as
// postgres://user@127.0.0.1:5432/postgres) whose user may create databases. Tests make their own beside it and drop them. A template with the
// schema stays there, letterlock_template_….
const PostgresVariable = "LETTERLOCK_TEST_POSTGRES"

// Each runs test as a subtest for each dialect, with a database of its own.
func Each(t *testing.T, test func(t *testing.T, db *database.DB)) {
	t.Helper()
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		t.Run(string(dialect), func(t *testing.T) {
			test(t, Open(t, dialect))
		})
	}
}

// Open gives a new, migrated database, which ends with the test. Without PostgreSQL it skips the test, except in CI
// (the variable CI is set), where that is a failure.
func Open(tb testing.TB, dialect database.Dialect) *database.DB {
	tb.Helper()
	return OpenConfig(tb, Migrated(tb, dialect))
}

// Config says where a new, empty database is, which ends with the test. Skips as Open does.
func Config(tb testing.TB, dialect database.Dialect) database.Config {
	tb.Helper()
	if dialect == database.SQLite {
		return database.Config{DataDir: tb.TempDir()}
	}
	return create(tb, scratch.PostgreSQL)
}

type dropping = func(context.Context) error

// create has a database made beside the maintenance database, and dropped when the test ends.
func create(tb testing.TB, create func(ctx context.Context, maintenanceURL string) (string, dropping, error)) database.Config {
	tb.Helper()
	maintenance := os.Getenv(PostgresVariable)
	switch {
	case maintenance == "" && os.Getenv("CI") != "":
		tb.Fatalf("%s is not set, and in CI every test runs", PostgresVariable)
	case maintenance == "":
		tb.Skipf("needs PostgreSQL: set %s to the URL of a maintenance database", PostgresVariable)
	}
	url, drop, err := create(tb.Context(), maintenance)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := drop(context.WithoutCancel(tb.Context())); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	return database.Config{URL: url}
}

// Reopen gives a second handle on db's database, as another server would have. It is closed with the test.
func Reopen(tb testing.TB, db *database.DB) *database.DB {
	tb.Helper()
	if db.Dialect == database.SQLite {
		return OpenConfig(tb, database.Config{DataDir: filepath.Dir(db.Path)})
	}
	return OpenConfig(tb, database.Config{URL: db.Pool.Config().ConnString()})
}

// OpenConfig opens what config names and closes it with the test.
func OpenConfig(tb testing.TB, config database.Config) *database.DB {
	tb.Helper()
	db, err := database.Open(tb.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close the test's database: %v", err)
		}
	})
	return db
}

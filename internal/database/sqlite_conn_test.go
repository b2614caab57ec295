package database

import (
	"database/sql"
	"log/slog"
	"strings"
	"testing"

	"modernc.org/sqlite"
)

// A connection that was opened while nothing could be written is not kept: it could never write.
func TestAConnectionThatCannotWriteIsNotKept(t *testing.T) {
	db, err := Open(t.Context(), Config{DataDir: t.TempDir()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	dsn := sqliteDSN(db.Path, true)
	for _, c := range []struct {
		dsn  string
		kept int
	}{{dsn, 1}, {strings.Replace(dsn, "?", "?mode=ro&", 1), 0}} {
		handle := sql.OpenDB(connector{new(sqlite.Driver), c.dsn})
		var n int
		if err := handle.QueryRowContext(t.Context(), "SELECT count(*) FROM stores").Scan(&n); err != nil || n != 1 {
			t.Fatalf("%d rows, %v", n, err)
		}
		if kept := handle.Stats().OpenConnections; kept != c.kept {
			t.Errorf("%d connections are kept, want %d", kept, c.kept)
		}
		if err := handle.Close(); err != nil {
			t.Error(err)
		}
	}
}

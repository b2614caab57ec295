package database_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/letterlock/letterlock/ent/migrate"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/database/schemadiff"
	"github.com/letterlock/letterlock/internal/testdb"
)

var discard = slog.New(slog.DiscardHandler)

func TestMigrationsGiveWhatEntAsksFor(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		pending, err := schemadiff.Pending(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if pending != "" {
			t.Errorf("ent's schema has moved on from the migrations; run make migration:\n%s", pending)
		}
		for _, table := range tables(t, db) {
			if table != "goose_db_version" && table != "sends" && !isEntTable(table) {
				t.Errorf("table %s is neither ent's nor known", table)
			}
		}
	})
}

func TestDiffSeesWhatIsMissing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		if _, err := db.SQL.ExecContext(t.Context(), "DROP INDEX message_expires_at"); err != nil {
			t.Fatal(err)
		}
		pending, err := schemadiff.Pending(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(pending, "-- +goose Up\n") || !strings.Contains(pending, "message_expires_at") {
			t.Errorf("the missing index is not in the difference: %q", pending)
		}
		if strings.Contains(pending, "sends") {
			t.Errorf("the hand-made table is in the difference: %q", pending)
		}
	})
}

func TestEpochIsKeptUntilItIsRenewed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		first := epoch(t, db)
		if first <= 0 {
			t.Errorf("epoch %d is not positive", first)
		}
		if again := epoch(t, testdb.Reopen(t, db)); again != first {
			t.Errorf("opening again changed the epoch from %d to %d", first, again)
		}
		renewed, err := db.RenewEpoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if renewed == first || renewed <= 0 || epoch(t, db) != renewed {
			t.Errorf("renewed from %d to %d, stored %d", first, renewed, epoch(t, db))
		}
	})
}

func TestServersThatStartAtOnceShareOneStore(t *testing.T) {
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		t.Run(string(dialect), func(t *testing.T) {
			config := testdb.Config(t, dialect)
			const servers = 4
			opened, failures := make([]*database.DB, servers), make([]error, servers)
			var wait sync.WaitGroup
			for i := range servers {
				wait.Go(func() {
					opened[i], failures[i] = database.Open(t.Context(), config, discard)
				})
			}
			wait.Wait()
			for i, db := range opened {
				if failures[i] != nil {
					t.Fatalf("server %d: %v", i, failures[i])
				}
				defer func() { _ = db.Close() }()
				if epoch(t, db) != epoch(t, opened[0]) {
					t.Errorf("server %d sees another epoch", i)
				}
			}
		})
	}
}

func TestNewerStoreIsRefusedByName(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		insert := "INSERT INTO goose_db_version (version_id, is_applied) VALUES (7001, true)"
		if _, err := db.SQL.ExecContext(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
		again, err := database.Open(t.Context(), configOf(db), discard)
		var newer *database.NewerError
		if !errors.As(err, &newer) {
			t.Fatalf("opened %v, error %v", again, err)
		}
		if newer.Found != 7001 || newer.Known < 1 || newer.Known >= 7001 {
			t.Errorf("versions: %+v", newer)
		}
		for _, want := range []string{"7001", db.Name} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not named: %v", want, err)
			}
		}
	})
}

func TestSQLiteSettings(t *testing.T) {
	db := testdb.Open(t, database.SQLite)
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000", "secure_delete": "2"}
	for name, value := range want {
		var got string
		if err := db.SQL.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != value {
			t.Errorf("%s is %s, want %s", name, got, value)
		}
	}
}

func TestSQLiteFilesAreForTheOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a dir with ?, # and %41", "data")
	db := testdb.OpenConfig(t, database.Config{DataDir: dir})
	if db.Path != filepath.Join(dir, "letterlock.db") {
		t.Errorf("the file is %s", db.Path)
	}
	if _, err := db.RenewEpoch(t.Context()); err != nil { // makes sure that the log of writes exists
		t.Fatal(err)
	}
	seen := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		seen++
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || seen < 4 {
		t.Errorf("saw %d files, error %v", seen, err)
	}
}

func TestSQLiteWritersWaitForEachOther(t *testing.T) {
	db := testdb.Open(t, database.SQLite)
	other := testdb.Reopen(t, db)
	tx, err := db.SQL.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	reader, err := other.SQL.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatalf("a reader is held by a writer: %v", err)
	}
	defer func() { _ = reader.Rollback() }()
	if _, err := reader.ExecContext(t.Context(), "SELECT epoch FROM stores"); err != nil {
		t.Errorf("a reader is held by a writer: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if second, err := other.SQL.BeginTx(ctx, nil); err == nil {
		_ = second.Rollback()
		t.Error("two transactions hold the write lock")
	}
}

// Whenever the time of a transaction ends, and be it while it begins, nothing stays begun: another server's handle writes at once.
func TestSQLiteTransactionThatEndsAsItBeginsHoldsNoLock(t *testing.T) {
	db := testdb.Open(t, database.SQLite)
	other := testdb.Reopen(t, db)
	if _, err := other.SQL.ExecContext(t.Context(), "PRAGMA busy_timeout = 1000"); err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		ctx, end := context.WithCancel(t.Context())
		time.AfterFunc(rand.N(100*time.Microsecond), end)
		if tx, err := db.SQL.BeginTx(ctx, nil); err == nil { // whether it was in time is chance
			end()
			_ = tx.Rollback()
		}
		end()
		tx, err := other.SQL.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatalf("after one that had no time left: %v", err)
		}
		_ = tx.Rollback()
	}
}

func TestDataDirectoryThatCannotBeWrittenIsExplained(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"file": file, "below a file": filepath.Join(file, "data"), "none": ""} {
		_, err := database.Open(t.Context(), database.Config{DataDir: dir}, discard)
		if err == nil || !strings.Contains(err.Error(), "LETTERLOCK_DATA_DIR") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFileThatIsNoDatabaseIsNamed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "letterlock.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := database.Open(t.Context(), database.Config{DataDir: dir}, discard)
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}

func epoch(t *testing.T, db *database.DB) int64 {
	t.Helper()
	n, err := db.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func configOf(db *database.DB) database.Config {
	if db.Dialect == database.SQLite {
		return database.Config{DataDir: filepath.Dir(db.Path)}
	}
	return database.Config{URL: db.Pool.Config().ConnString()}
}

func tables(t *testing.T, db *database.DB) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if db.Dialect == database.PostgreSQL {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	}
	rows, err := db.SQL.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	if err := entsql.ScanSlice(rows, &names); err != nil {
		t.Fatal(err)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

func isEntTable(name string) bool {
	return slices.ContainsFunc(migrate.Tables, func(table *schema.Table) bool { return table.Name == name })
}

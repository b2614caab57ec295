package database

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"time"

	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"
)

// The migrations, a directory for each dialect, NNNN_name.sql in goose's format. They only go forward: a file that was
// released is never changed.
//
//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrationFiles embed.FS

var embedded = mustSub(migrationFiles, "migrations")

// Migrations gives the directory of each dialect, for tools and tests.
func Migrations() fs.FS { return embedded }

const (
	// migrationTable is where goose notes what it has applied.
	migrationTable = "goose_db_version"
	// migrationLockTimeout bounds the wait for another server's migration; one that runs longer needs a new start anyway.
	migrationLockTimeout = 5 * time.Minute
	migrationLockRetry   = 50 * time.Millisecond
)

// NewerError is what Open fails with on a store that a newer release has migrated.
type NewerError struct {
	// Database is the file, or host, port and database.
	Database string
	// Found is the version of its schema, Known the newest that this program has.
	Found, Known int64
}

// Error names both versions and the database.
func (e *NewerError) Error() string {
	return fmt.Sprintf("%s has schema version %d and this release knows %d at the most: start the release that migrated it, or a newer one",
		e.Database, e.Found, e.Known)
}

// migration is one database about to be migrated. Its lock is held.
type migration struct {
	database  string
	directory string
	dialect   goose.Dialect
	store     goosedb.Store
	handle    *sql.DB
}

// migrate applies what is missing, each file in a transaction of its own.
func migrate(ctx context.Context, m migration, log *slog.Logger, files fs.FS) error {
	sub, err := fs.Sub(files, m.directory)
	if err != nil {
		return fmt.Errorf("find migrations: %w", err)
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if m.store != nil {
		options = append(options, goose.WithStore(m.store))
	}
	provider, err := goose.NewProvider(m.dialect, m.handle, sub, options...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	found, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version of %s: %w", m.database, err)
	}
	if found > known {
		return &NewerError{Database: m.database, Found: found, Known: known}
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate %s: %w", m.database, err)
	}
	for _, result := range results {
		log.InfoContext(ctx, "database migrated", "migration", path.Base(result.Source.Path), "took", result.Duration)
	}
	return nil
}

// checkedStore refuses, inside the transaction of a migration, to note it as done if rows point at parents that are
// gone; the migration is rolled back then.
type checkedStore struct{ goosedb.Store }

func newCheckedStore() (checkedStore, error) {
	store, err := goosedb.NewStore(goosedb.DialectSQLite3, migrationTable)
	if err != nil {
		return checkedStore{}, fmt.Errorf("prepare migrations: %w", err)
	}
	return checkedStore{store}, nil
}

// Insert notes a migration as done.
func (s checkedStore) Insert(ctx context.Context, tx goosedb.DBTxConn, request goosedb.InsertRequest) error {
	const query = `SELECT "table", count(*) FROM pragma_foreign_key_check GROUP BY "table" LIMIT 1`
	var table string
	var rows int64
	err := tx.QueryRowContext(ctx, query).Scan(&table, &rows)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return s.Store.Insert(ctx, tx, request)
	case err == nil:
		return fmt.Errorf("version %d leaves %d rows of %s without their parents; nothing was changed", request.Version, rows, table)
	default:
		return fmt.Errorf("check foreign keys: %w", err)
	}
}

func mustSub(files fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the directory is embedded
	}
	return sub
}

// Package database opens the store, SQLite or PostgreSQL, and brings its schema up to date before anyone uses it.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/letterlock/letterlock/ent"
)

// Dialect is the kind of a database.
type Dialect string

// The dialects. Their values name the directories that hold their migrations.
const (
	SQLite     Dialect = "sqlite"
	PostgreSQL Dialect = "postgres"
)

// ErrConfig is what Open fails with if its Config cannot be meant. The text says what to change.
var ErrConfig = errors.New("database configuration")

// Config says where the data lies.
type Config struct {
	// URL is postgres://… (or postgresql://…), with the parameters of libpq and pgxpool, or empty for SQLite.
	URL string
	// DataDir is the directory of the SQLite file. It is made if it is missing. Unused with a URL.
	DataDir string
}

// DB is an open store with the schema that this program knows. Its handles share one pool of connections.
type DB struct {
	// Dialect says which of the two it is.
	Dialect Dialect
	// SQL is for statements that ent has no words for. Transactions on SQLite take the write lock when they begin,
	// unless they are read-only.
	SQL *sql.DB
	// Pool is the pool under SQL, for pgx's pipelines; nil on SQLite.
	Pool *pgxpool.Pool
	// Ent is the typed client over SQL.
	Ent *ent.Client
	// Path is the file of SQLite; empty on PostgreSQL.
	Path string
	// Name tells people which database it is: the file, or host, port and database, without user and password.
	Name string

	turn chan struct{} // holds one value while somebody writes; nil on PostgreSQL
}

// Open opens the store, applies the migrations that it lacks under a lock that other starting servers wait for, and
// gives it an epoch if it has none. It refuses a store with a newer schema with a *NewerError. No error of it holds the
// password of the URL.
func Open(ctx context.Context, config Config, log *slog.Logger) (*DB, error) {
	return open(ctx, config, log, embedded)
}

// open is Open with the migrations of a test: files holds a directory for each dialect.
func open(ctx context.Context, config Config, log *slog.Logger, files fs.FS) (*DB, error) {
	var db *DB
	var err error
	switch {
	case config.URL == "":
		db, err = openSQLite(ctx, config.DataDir, log, files)
	case strings.HasPrefix(config.URL, "postgres://"), strings.HasPrefix(config.URL, "postgresql://"):
		db, err = openPostgreSQL(ctx, config.URL, log, files)
	default:
		err = fmt.Errorf("%w: the database URL starts with postgres://; leave it empty (LETTERLOCK_DATABASE) for the embedded database",
			ErrConfig)
	}
	if err != nil {
		return nil, err
	}
	if err := db.ensureEpoch(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", db.Name, err), db.Close())
	}
	return db, nil
}

// Ping has the store read a row, which is more than the sign of life that a driver gives.
func (db *DB) Ping(ctx context.Context) error {
	_, err := db.Epoch(ctx)
	return err
}

// Close gives all connections back. It waits for transactions that run.
func (db *DB) Close() error {
	err := db.SQL.Close()
	if db.Pool != nil {
		db.Pool.Close()
	}
	return err
}

package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"github.com/letterlock/letterlock/ent"
)

const (
	sqliteFile = "letterlock.db"
	// sqliteLockFile is held while migrations run. It stays: to remove it would let two servers hold two files.
	sqliteLockFile = "letterlock.db.migrating"
	// sqliteConnections bounds the readers; SQLite itself lets one writer in at a time.
	sqliteConnections = 8
	// sqliteBusyTimeout bounds the wait for the write lock.
	sqliteBusyTimeout = 10 * time.Second
	// sqliteWALLimit is what the write-ahead log is cut to after a burst, in bytes.
	sqliteWALLimit = 64 << 20
)

func openSQLite(ctx context.Context, dir string, log *slog.Logger, files fs.FS) (*DB, error) {
	path, err := makeFile(dir, log)
	if err != nil {
		return nil, err
	}
	if err := migrateSQLite(ctx, path, log, files); err != nil {
		return nil, err
	}
	handle := sql.OpenDB(connector{new(sqlite.Driver), sqliteDSN(path, true)})
	handle.SetMaxOpenConns(sqliteConnections)
	handle.SetMaxIdleConns(sqliteConnections)
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, handle)))
	return &DB{Dialect: SQLite, SQL: handle, Ent: client, Path: path, Name: path, turn: make(chan struct{}, 1)}, nil
}

// makeFile makes the data directory and the empty file if they are missing, for this user alone. A file that is there is
// not opened: closing it would drop the locks that another handle of this process holds on it.
func makeFile(dir string, log *slog.Logger) (path string, err error) {
	if dir == "" {
		return "", fmt.Errorf("%w: the embedded database needs a directory; name one with LETTERLOCK_DATA_DIR", ErrConfig)
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the data directory: %w; name one that can be written with LETTERLOCK_DATA_DIR", err)
	}
	path = filepath.Join(dir, sqliteFile)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // #nosec G304 -- the operator names the directory
	switch {
	case err == nil:
		return path, file.Close()
	case !errors.Is(err, fs.ErrExist):
		return "", fmt.Errorf("make the database: %w; name a directory that can be written with LETTERLOCK_DATA_DIR", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("look at the database: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		log.Warn("other users of this machine can open the database; chmod 600 it", "path", path, "mode", info.Mode().Perm())
	}
	return path, nil
}

// sqliteDSN opens path with what the delivery contract needs: a commit is on disk when it answers (FULL), readers do not
// wait for the writer (WAL), and a transaction that will write takes the lock at once, so that it never fails half-way.
// What is deleted is overwritten where that costs no further write (secure_delete): a mailbox is not an archive.
func sqliteDSN(path string, foreignKeys bool) string {
	keys := "foreign_keys(1)"
	if !foreignKeys {
		keys = "foreign_keys(0)"
	}
	query := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", sqliteBusyTimeout.Milliseconds()),
			"journal_mode(WAL)",
			"synchronous(FULL)",
			"secure_delete(FAST)",
			fmt.Sprintf("journal_size_limit(%d)", sqliteWALLimit),
			keys,
		},
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

// migrateSQLite migrates on a connection of its own, without foreign keys: a rebuilt table is dropped and made again, and
// with them on, dropping it would delete its children. Switching them off inside a transaction does nothing.
func migrateSQLite(ctx context.Context, path string, log *slog.Logger, files fs.FS) (err error) {
	unlock, err := lockFile(ctx, filepath.Join(filepath.Dir(path), sqliteLockFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	handle, err := sql.Open("sqlite", sqliteDSN(path, false))
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, handle.Close()) }()
	handle.SetMaxOpenConns(1)
	store, err := newCheckedStore()
	if err != nil {
		return err
	}
	return migrate(ctx, migration{
		database: path, directory: string(SQLite), dialect: goose.DialectCustom, store: store, handle: handle,
	}, log, files)
}

// lockFile waits until it alone holds the lock on path. The kernel frees the lock of a process that dies.
func lockFile(ctx context.Context, path string) (unlock func() error, err error) {
	ctx, cancel := context.WithTimeout(ctx, migrationLockTimeout)
	defer cancel()
	lock := flock.New(path, flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, migrationLockRetry); err != nil {
		return nil, fmt.Errorf("wait for another server that migrates this database (lock %s): %w", path, err)
	}
	return lock.Unlock, nil
}

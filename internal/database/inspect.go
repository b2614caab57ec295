package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// Inspection is what a look at a store has found. The look changes nothing: it migrates nothing, and keeps nothing that it writes.
type Inspection struct {
	// Name tells people which database it is.
	Name string
	// Missing: there is no database yet, or an empty one; the first start of a server makes it.
	Missing bool
	// Found is the version of its schema, Known the newest that this program has.
	Found, Known int64
	// Unwritable is why nothing can be written; nil if all is well.
	Unwritable error
	// Unsafe are settings that let confirmed messages be lost in a crash.
	Unsafe []string
	// Sync is how long the disk took to make a write last; 0 if only the database's server can know.
	Sync time.Duration
	// Clock is the database's; zero if it has none of its own.
	Clock time.Time
}

// Inspect looks at the store that config names. It fails if there is none to be reached, or one that is not ours to read.
func Inspect(ctx context.Context, config Config) (Inspection, error) {
	switch {
	case config.URL == "":
		return inspectSQLite(ctx, config.DataDir)
	case strings.HasPrefix(config.URL, "postgres://"), strings.HasPrefix(config.URL, "postgresql://"):
		return inspectPostgreSQL(ctx, config.URL)
	default:
		return Inspection{}, fmt.Errorf("%w: the database URL starts with postgres://; leave it empty (LETTERLOCK_DATABASE) for the embedded database", ErrConfig)
	}
}

func inspectSQLite(ctx context.Context, dir string) (found Inspection, err error) {
	path, err := filepath.Abs(filepath.Join(dir, sqliteFile))
	if err != nil {
		return Inspection{}, err
	}
	found = Inspection{Name: path, Known: newest(SQLite)}
	if _, err := os.Stat(path); err != nil {
		found.Missing = errors.Is(err, fs.ErrNotExist)
		if !found.Missing {
			return found, err
		}
		found.Sync, found.Unwritable = syncNear(dir)
		return found, nil
	}
	// Without a pragma: setting the journal mode writes to a file that is none of ours as well.
	handle, err := sql.Open("sqlite", "file:"+path+"?mode=rw&_txlock=immediate&_pragma=busy_timeout(10000)")
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, handle.Close()) }()
	if found.Found, err = schemaVersion(ctx, handle, "SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'"); err != nil {
		return found, err
	}
	found.Missing = found.Found == 0
	if found.Sync, found.Unwritable = syncNear(dir); found.Unwritable == nil && !found.Missing {
		found.Unwritable = tryWrite(ctx, handle)
	}
	return found, nil
}

// syncNear writes a file into a directory, or the nearest one above it that is there, and has the disk confirm it.
func syncNear(dir string) (took time.Duration, err error) {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	file, err := os.CreateTemp(dir, ".letterlock-check-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	if _, err := file.Write(make([]byte, 4096)); err != nil {
		return 0, err
	}
	start := time.Now()
	err = file.Sync()
	return time.Since(start), err
}

func inspectPostgreSQL(ctx context.Context, rawURL string) (found Inspection, err error) {
	config, err := parsePostgresURL(rawURL)
	if err != nil {
		return Inspection{}, err
	}
	found = Inspection{Name: postgresName(config.ConnConfig), Known: newest(PostgreSQL)}
	handle := stdlib.OpenDB(*config.ConnConfig)
	defer func() { err = errors.Join(err, handle.Close()) }()
	if err := handle.PingContext(ctx); err != nil {
		return found, fmt.Errorf("connect to PostgreSQL at %s: %w", found.Name, err)
	}
	if found.Found, err = schemaVersion(ctx, handle, "SELECT count(*) FROM pg_class WHERE oid = to_regclass('goose_db_version')"); err != nil {
		return found, err
	}
	found.Missing = found.Found == 0
	if found.Unsafe, err = unsafeSettings(ctx, handle); err != nil {
		return found, err
	}
	if err := handle.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&found.Clock); err != nil {
		return found, err
	}
	if found.Unwritable = mayCreate(ctx, handle); found.Unwritable == nil && !found.Missing {
		found.Unwritable = tryWrite(ctx, handle)
	}
	return found, nil
}

// mayCreate says why no table can be made.
func mayCreate(ctx context.Context, handle *sql.DB) error {
	var replica, allowed bool
	const query = `SELECT pg_is_in_recovery(), coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)`
	if err := handle.QueryRowContext(ctx, query).Scan(&replica, &allowed); err != nil {
		return err
	}
	switch {
	case replica:
		return errors.New("this is a replica, which takes no writes: name the primary")
	case !allowed:
		return errors.New("the user may not make tables in its schema: make it the owner of the database")
	default:
		return nil
	}
}

// tryWrite changes a row to what it is, and takes that back.
func tryWrite(ctx context.Context, handle *sql.DB) error {
	tx, err := handle.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE stores SET epoch = epoch")
	return errors.Join(err, tx.Rollback())
}

// schemaVersion gives 0 for a database that has none of our tables. exists counts the table of migrations.
func schemaVersion(ctx context.Context, handle *sql.DB, exists string) (version int64, err error) {
	var tables int
	if err := handle.QueryRowContext(ctx, exists).Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	err = handle.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+migrationTable+" WHERE is_applied").Scan(&version)
	return version, err
}

// newest gives the number of the last migration that this program has.
func newest(dialect Dialect) (version int64) {
	files, err := fs.Glob(embedded, string(dialect)+"/*.sql")
	if err != nil {
		panic(err) // the pattern is well-formed
	}
	for _, file := range files {
		number, _, _ := strings.Cut(filepath.Base(file), "_")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			version = max(version, n)
		}
	}
	return version
}

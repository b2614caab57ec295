package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup copies the SQLite database into a new file, as it is at one moment, while servers may go on writing. The file is for
// its owner alone, complete and on disk when Backup returns, and gone if it fails. PostgreSQL has tools of its own.
func Backup(ctx context.Context, config Config, file string) (err error) {
	if config.URL != "" {
		return fmt.Errorf("%w: this copies the embedded database; PostgreSQL is copied by pg_dump (docs/operating.md)", ErrConfig)
	}
	path, err := filepath.Abs(filepath.Join(config.DataDir, sqliteFile))
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("find the database: %w; is LETTERLOCK_DATA_DIR right?", err)
	}
	// Whatever is there stays: it may be the last good backup.
	made, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // #nosec G304 -- the operator names it
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; name a new file", file)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, made.Close(), os.Remove(file))
		}
	}()
	if err := vacuumInto(ctx, path, file); err != nil {
		return fmt.Errorf("copy %s: %w", path, err)
	}
	if err := made.Sync(); err != nil {
		return err
	}
	if err := made.Close(); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(file))
}

// vacuumInto reads in one transaction. It takes an empty file for a new one.
func vacuumInto(ctx context.Context, path, file string) (err error) {
	handle, err := sql.Open("sqlite", sqliteDSN(path, true))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, handle.Close()) }()
	_, err = handle.ExecContext(ctx, "VACUUM INTO ?", file)
	return err
}

// syncDirectory makes the name of a new file last.
func syncDirectory(dir string) error {
	d, err := os.Open(dir) // #nosec G304 -- the operator names it
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

package testdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb/scratch"
)

// To migrate a database takes longer than most of what is tested with it. So it is done once, and each test has a copy.

// Migrated says where a new, migrated database is, which ends with the test. Skips as Open does.
func Migrated(tb testing.TB, dialect database.Dialect) database.Config {
	tb.Helper()
	if dialect == database.SQLite {
		return migratedFile(tb)
	}
	return create(tb, func(ctx context.Context, maintenance string) (string, dropping, error) {
		template, err := scratch.Template(ctx, maintenance, fingerprint(tb), func(url string) error {
			_, err := migrate(ctx, database.Config{URL: url})
			return err
		})
		if err != nil {
			return "", nil, err
		}
		return scratch.Copy(ctx, maintenance, template)
	})
}

// file is what SQLite left on the disk.
type file struct {
	name    string
	content []byte
}

// template is held by the program, since no place on the disk ends with it.
var template = sync.OnceValues(func() (made file, err error) {
	dir, err := os.MkdirTemp("", "letterlock-testdb-")
	if err != nil {
		return file{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path, err := migrate(context.Background(), database.Config{DataDir: dir})
	if err != nil {
		return file{}, err
	}
	content, err := os.ReadFile(path) // #nosec G304 -- in the directory above
	return file{filepath.Base(path), content}, err
})

func migratedFile(tb testing.TB) database.Config {
	tb.Helper()
	made, err := template()
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	if err := os.WriteFile(filepath.Join(dir, made.name), made.content, 0o600); err != nil {
		tb.Fatal(err)
	}
	return database.Config{DataDir: dir}
}

// migrate leaves a database without an epoch: each copy gets its own when it is opened.
func migrate(ctx context.Context, config database.Config) (path string, err error) {
	db, err := database.Open(ctx, config, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	_, err = db.Ent.Store.Delete().Exec(ctx)
	return db.Path, errors.Join(err, db.Close())
}

// fingerprint tells the migrations of PostgreSQL from all others.
func fingerprint(tb testing.TB) string {
	tb.Helper()
	hash := sha256.New()
	err := fs.WalkDir(database.Migrations(), string(database.PostgreSQL), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(database.Migrations(), path)
		_, _ = fmt.Fprintf(hash, "%s %d\n%s", path, len(content), content)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

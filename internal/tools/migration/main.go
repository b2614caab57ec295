// Command migration writes the next migration of both dialects from the difference between the migrations so far and ent's
// schema:
//
//	go run ./internal/tools/migration [--postgres URL] NAME
//
// The files are a draft: read them, add what ent cannot know, then commit them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/database/schemadiff"
	"github.com/letterlock/letterlock/internal/testdb/scratch"
)

// migrationsDir is seen from the root of the repository.
const migrationsDir = "internal/database/migrations"

var (
	validName = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)
	fileName  = regexp.MustCompile(`^(\d+)_.*\.sql$`)
)

func main() {
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./internal/tools/migration [--postgres URL] NAME")
		flag.PrintDefaults()
	}
	// Not the flag's default: help would print it, password and all.
	postgres := flag.String("postgres", "",
		"URL of a PostgreSQL maintenance database whose user may create databases; without it LETTERLOCK_TEST_POSTGRES")
	flag.Parse()
	if *postgres == "" {
		*postgres = os.Getenv("LETTERLOCK_TEST_POSTGRES")
	}
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), migrationsDir, flag.Arg(0), *postgres); err != nil {
		fmt.Fprintln(os.Stderr, "migration:", err)
		os.Exit(1)
	}
}

// run writes the next pair of files under dir, or none if nothing has changed. Both dialects are compared before either
// file is written.
func run(ctx context.Context, dir, name, maintenanceURL string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%q is no name: lower-case words joined by _, as add_prekeys", name)
	}
	if maintenanceURL == "" {
		return errors.New("needs PostgreSQL: set LETTERLOCK_TEST_POSTGRES or --postgres to the URL of a maintenance database")
	}
	texts := map[database.Dialect]string{}
	var err error
	if texts[database.SQLite], err = pendingSQLite(ctx); err != nil {
		return err
	}
	if texts[database.PostgreSQL], err = pendingPostgreSQL(ctx, maintenanceURL); err != nil {
		return err
	}
	if texts[database.SQLite] == "" && texts[database.PostgreSQL] == "" {
		fmt.Println("ent's schema and the migrations agree: nothing written")
		return nil
	}
	return write(dir, name, texts)
}

// write writes a file for each dialect under the next number, so that both always have the same versions.
func write(dir, name string, texts map[database.Dialect]string) error {
	version := 0
	for dialect := range texts {
		last, err := lastVersion(filepath.Join(dir, string(dialect)))
		if err != nil {
			return err
		}
		version = max(version, last)
	}
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		text := texts[dialect]
		if text == "" {
			text = "-- +goose Up\n-- Nothing to do in this dialect.\nSELECT 1;\n"
		}
		path := filepath.Join(dir, string(dialect), fmt.Sprintf("%04d_%s.sql", version+1, name))
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil { // #nosec G306 -- source code
			return fmt.Errorf("write migration: %w", err)
		}
		fmt.Println("wrote", path)
	}
	return nil
}

func pendingSQLite(ctx context.Context) (_ string, err error) {
	dir, err := os.MkdirTemp("", "letterlock-migration-")
	if err != nil {
		return "", fmt.Errorf("make a scratch directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return pending(ctx, database.Config{DataDir: dir})
}

func pendingPostgreSQL(ctx context.Context, maintenanceURL string) (_ string, err error) {
	url, drop, err := scratch.PostgreSQL(ctx, maintenanceURL)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
	return pending(ctx, database.Config{URL: url})
}

// pending replays the migrations so far, which Open does, and compares.
func pending(ctx context.Context, config database.Config) (_ string, err error) {
	db, err := database.Open(ctx, config, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return schemadiff.Pending(ctx, db)
}

// lastVersion gives the highest number of the files in dir, 0 if there is none.
func lastVersion(dir string) (int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	versions := []int{0}
	for _, entry := range entries {
		if match := fileName.FindStringSubmatch(entry.Name()); match != nil {
			version, err := strconv.Atoi(match[1])
			if err != nil {
				return 0, fmt.Errorf("migration %s: %w", entry.Name(), err)
			}
			versions = append(versions, version)
		}
	}
	return slices.Max(versions), nil
}

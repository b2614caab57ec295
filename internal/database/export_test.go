package database

import (
	"context"
	"io/fs"
	"log/slog"
	"path"
	"strconv"
	"strings"
	"testing/fstest"
)

// Newest is the version that a store has after all migrations.
func Newest() int64 { return newest(SQLite) }

// OpenAt opens a store as the release of that version did, with the migrations up to there.
func OpenAt(ctx context.Context, config Config, version int64) (*DB, error) {
	older := fstest.MapFS{}
	for _, dialect := range []Dialect{SQLite, PostgreSQL} {
		files, err := fs.Glob(embedded, string(dialect)+"/*.sql")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			number, _, _ := strings.Cut(path.Base(file), "_")
			if n, err := strconv.ParseInt(number, 10, 64); err != nil || n > version {
				continue
			}
			content, err := fs.ReadFile(embedded, file)
			if err != nil {
				return nil, err
			}
			older[file] = &fstest.MapFile{Data: content}
		}
	}
	return open(ctx, config, slog.New(slog.DiscardHandler), older)
}

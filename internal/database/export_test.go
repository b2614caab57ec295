package database

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"testing/fstest"
)

// OpenBefore opens a store as the release before the last migration did.
func OpenBefore(ctx context.Context, config Config) (*DB, error) {
	older := fstest.MapFS{}
	for _, dialect := range []Dialect{SQLite, PostgreSQL} {
		files, err := fs.Glob(embedded, string(dialect)+"/*.sql")
		if err != nil {
			return nil, err
		}
		last := fmt.Sprintf("%04d_", newest(dialect))
		for _, file := range files {
			if name := path.Base(file); name[:len(last)] != last {
				content, err := fs.ReadFile(embedded, file)
				if err != nil {
					return nil, err
				}
				older[file] = &fstest.MapFile{Data: content}
			}
		}
	}
	return open(ctx, config, slog.New(slog.DiscardHandler), older)
}

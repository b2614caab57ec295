package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/letterlock/letterlock/internal/testdb/scratch"
)

// store is where servers of one run keep their data: a directory, and a database in PostgreSQL if that is what is measured.
type store struct {
	dir      string
	database string  // URL; empty for SQLite
	postgres process // 0 where it cannot be seen
	remove   func(context.Context) error
}

// newStore makes an empty one. PostgreSQL begins each run with all dirty pages written, so that no run pays for the one before.
func (b *bench) newStore(ctx context.Context, kind string) (*store, error) {
	dir, err := os.MkdirTemp("", "letterlock-bench-")
	if err != nil {
		return nil, err
	}
	s := &store{dir: dir, remove: func(context.Context) error { return nil }}
	if kind != postgresql {
		return s, nil
	}
	if s.database, s.remove, err = scratch.PostgreSQL(ctx, b.Database); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.postgres, err = postmaster(ctx, b.Database)
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

// close deletes everything.
func (s *store) close(ctx context.Context) error {
	return errors.Join(s.remove(context.WithoutCancel(ctx)), os.RemoveAll(s.dir))
}

// postmaster writes PostgreSQL's dirty pages and finds its first process: the parent of the one that answers. It is 0 if PostgreSQL runs on
// another machine, or in a container.
func postmaster(ctx context.Context, database string) (_ process, err error) {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return 0, fmt.Errorf("the user of --database must be allowed to checkpoint: %w", err)
	}
	parsed, err := url.Parse(database)
	if err != nil {
		return 0, errors.New("the database URL cannot be read")
	}
	if host := parsed.Hostname(); host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return 0, nil
	}
	var backend int
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return 0, err
	}
	parent, err := process(backend).parent()
	if err != nil || parent.name() != "postgres" {
		return 0, nil // it is not to be seen from here
	}
	return parent, nil
}

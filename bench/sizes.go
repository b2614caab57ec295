package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// sizes are those of tables with their indexes, in bytes, and the rows that wait for vacuum. Of SQLite there is one file alone, which is
// called messages here. Of PostgreSQL there is also how many messages wait, and how many have expired.
type sizes struct{ messages, mailboxes, sends, dead, waiting, expired float64 }

func (s *store) sizes(ctx context.Context) (sizes, error) {
	if s.database == "" {
		return s.fileSizes()
	}
	var found sizes
	err := s.query(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT c.relname, pg_total_relation_size(c.oid)::float8, coalesce(pg_stat_get_dead_tuples(c.oid), 0)::float8
			FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace`)
		if err != nil {
			return err
		}
		var name string
		var size, dead float64
		_, err = pgx.ForEachRow(rows, []any{&name, &size, &dead}, func() error {
			switch {
			case strings.HasPrefix(name, "messages"):
				found.messages += size
			case strings.HasPrefix(name, "mailboxes"):
				found.mailboxes += size
			case strings.HasPrefix(name, "sends"):
				found.sends += size
			}
			found.dead += dead
			return nil
		})
		if err != nil {
			return err
		}
		return conn.QueryRow(ctx, "SELECT coalesce(sum(waiting_count), 0)::float8, coalesce(sum(expired_count), 0)::float8 FROM mailboxes").Scan(&found.waiting, &found.expired)
	})
	return found, err
}

func (s *store) fileSizes() (sizes, error) {
	files, err := filepath.Glob(filepath.Join(s.dir, "letterlock.db*"))
	if err != nil {
		return sizes{}, err
	}
	var found sizes
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return sizes{}, err
		}
		found.messages += float64(info.Size())
	}
	return found, nil
}

// remembered counts the ids that are remembered; 0 for SQLite, where nothing tells their size apart.
func (s *store) remembered(ctx context.Context) (n float64, err error) {
	if s.database == "" {
		return 0, nil
	}
	err = s.query(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT count(*)::float8 FROM sends").Scan(&n)
	})
	return n, err
}

// eachRemembered adds what a remembered id takes.
func (s *store) eachRemembered(ctx context.Context, to *sample) error {
	n, err := s.remembered(ctx)
	if err != nil || n == 0 {
		return err
	}
	found, err := s.sizes(ctx)
	to.add("remembered", "a remembered id, with its index", memory, found.sends/n)
	return err
}

func (s *store) query(ctx context.Context, ask func(context.Context, *pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return ask(ctx, conn)
}

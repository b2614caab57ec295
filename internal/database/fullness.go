package database

import (
	"context"
	"path/filepath"
)

// Fullness is how much lies in a store. It names nobody.
type Fullness struct {
	// Messages wait in all mailboxes, MessageBytes are theirs: of ciphertext with SQLite, of their table with its indexes with PostgreSQL. There
	// both are the database's own estimates, since to count would read whole tables.
	Messages, MessageBytes int64
	// Bytes is how large the database is, on disk.
	Bytes int64
	// Free is what is left on the disk of the embedded database; negative where that is not known, as on another machine.
	Free int64
}

const (
	liteFullness = `SELECT coalesce(sum(waiting_count), 0), coalesce(sum(waiting_bytes), 0),
		(SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size()) FROM mailboxes`

	// Where messages has partitions (docs/scaling.md) the rows are theirs.
	pgFullness = `SELECT coalesce(sum(n_live_tup), 0)::bigint, coalesce(sum(pg_total_relation_size(relid)), 0)::bigint, pg_database_size(current_database())
		FROM pg_stat_user_tables
		WHERE relid = 'messages'::regclass OR relid IN (SELECT relid FROM pg_partition_tree('messages'))`
)

// Fullness looks how full the store is. It is for now and then: with SQLite it reads a row for each device.
func (db *DB) Fullness(ctx context.Context) (f Fullness, err error) {
	query := liteFullness
	if db.Dialect == PostgreSQL {
		query = pgFullness
	}
	if err := db.SQL.QueryRowContext(ctx, query).Scan(&f.Messages, &f.MessageBytes, &f.Bytes); err != nil {
		return Fullness{}, Unavailable("look how full the store is", err)
	}
	f.Free = -1
	if db.Dialect == SQLite {
		f.Free = freeBytes(filepath.Dir(db.Path))
	}
	return f, nil
}

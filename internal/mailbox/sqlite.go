package mailbox

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
)

// sqliteStore writes on a connection of its own, with statements that stay prepared. BEGIN IMMEDIATE takes the only write
// lock there is, which stands for all row locks. Readers use other connections and wait for nobody.
type sqliteStore struct {
	db *sql.DB
	// turn is database.DB.WriteTurn: it is taken before every transaction that writes, so that list changes get in between.
	turn func(context.Context) (end func(), err error)
	// conn and statements belong to the writer; nil until it needs them, and after a failure.
	conn       *sql.Conn
	statements map[string]*sql.Stmt

	// claimed counts the subscriptions to all mailboxes.
	claimed atomic.Int64
}

func newSQLiteStore(db *database.DB) *sqliteStore {
	return &sqliteStore{db: db.SQL, turn: db.WriteTurn}
}

const (
	liteMailboxColumns = `m.id, m.device_id, m.user_id, m.list_version, m.closed, m.blocking, m.last_number, m.acknowledged_number,
		m.waiting_count, m.waiting_bytes, m.accepted_count`

	liteLock = `SELECT ` + liteMailboxColumns + ` FROM mailboxes m WHERE m.device_id = ?1`

	liteEpoch = `SELECT epoch FROM stores WHERE id = 1`

	liteClaim = `INSERT INTO sends (day, key, content, accepted_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING`

	liteSize = `SELECT count(*), coalesce(sum(length(ciphertext)), 0) FROM messages WHERE id > ?1 AND id <= ?2`

	liteAcknowledge = `DELETE FROM messages WHERE id > ?1 AND id <= ?2`

	liteStanding = `SELECT ` + liteMailboxColumns + `, m.expired_count, s.epoch
		FROM mailboxes m, stores s WHERE m.device_id = ?1 AND s.id = 1`

	litePage = `SELECT id, message_id, sender_user_id, sender_device_id, sender_list_version, sent_at, expires_at, kind, nonce, ciphertext
		FROM messages WHERE id > ?1 AND id <= ?2 AND expires_at > ?3 ORDER BY id LIMIT ?4`

	liteLook = `SELECT m.id, m.last_number, m.closed, s.epoch FROM mailboxes m, stores s
		WHERE s.id = 1 AND m.id IN (SELECT value FROM json_each(?1))`
)

// commitPlan does nothing: there is no network to save round trips on.
func (s *sqliteStore) commitPlan(context.Context, *plan) error { return errUnplanned }

func (s *sqliteStore) begin(ctx context.Context, r request) (transaction, *claimed, error) {
	tx, err := s.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	found, err := tx.begin(r)
	if err != nil {
		s.drop()
		tx.end()
		return nil, nil, sqliteError(err)
	}
	return tx, found, nil
}

// open begins a transaction on the writer's connection.
func (s *sqliteStore) open(ctx context.Context) (*sqliteTx, error) {
	if s.conn == nil {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return nil, sqliteError(err)
		}
		s.conn, s.statements = conn, make(map[string]*sql.Stmt)
	}
	end, err := s.turn(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTransient, err)
	}
	// Only the wait for the lock is worth cutting short.
	tx := &sqliteTx{store: s, ctx: context.WithoutCancel(ctx), end: end}
	if err := tx.waitForLock(ctx); err != nil {
		s.drop()
		end()
		return nil, sqliteError(err)
	}
	return tx, nil
}

// drop throws the writer's connection away, and with it what is open on it. The next batch gets a new one. Its statements go first:
// SQLite keeps a connection that has any, and with it its files, its memory, and the write lock if it holds that.
func (s *sqliteStore) drop() {
	if s.conn == nil {
		return
	}
	for _, statement := range s.statements {
		_ = statement.Close()
	}
	// The error that Raw hands through tells database/sql that the connection is not to be used again.
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = s.conn.Close()
	s.conn, s.statements = nil, nil
}

// close gives the writer's connection back.
func (s *sqliteStore) close() { s.drop() }

func (s *sqliteStore) standing(ctx context.Context, device identity.DeviceID) (standing, bool, error) {
	var found standing
	err := found.scan(s.db.QueryRowContext(ctx, liteStanding, device.String()).Scan, &found.expired, &found.epoch)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return standing{}, false, nil
	case err != nil:
		return standing{}, false, sqliteError(err)
	}
	return found, true, nil
}

// claim writes nothing: there is one server, which knows all readers, and they end with it. Numbers only have to grow.
func (s *sqliteStore) claim(context.Context, int64, int64) (int64, bool, error) {
	return s.claimed.Add(1), true, nil
}

func (s *sqliteStore) page(ctx context.Context, r pageRequest) (_ standing, messages []Message, more bool, err error) {
	found, ok, err := s.standing(ctx, r.device)
	if err != nil {
		return standing{}, nil, false, err
	}
	found.closed = found.closed || !ok
	rows, err := s.db.QueryContext(ctx, litePage, messageID(r.mailbox, r.after), messageID(r.mailbox, maxNumber), r.now, r.count+1)
	if err != nil {
		return standing{}, nil, false, sqliteError(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	size := 0
	for rows.Next() {
		if len(messages) == r.count || size >= r.bytes {
			more = true
			break
		}
		var row messageRow
		if err := rows.Scan(row.fields()...); err != nil {
			return standing{}, nil, false, sqliteError(err)
		}
		message, err := row.message(found.epoch)
		if err != nil {
			return standing{}, nil, false, err
		}
		messages = append(messages, message)
		size += len(message.Ciphertext)
	}
	if err := rows.Err(); err != nil {
		return standing{}, nil, false, sqliteError(err)
	}
	return found, messages, more, nil
}

func (s *sqliteStore) look(ctx context.Context, mailboxes []int64) (epoch int64, seen map[int64]glimpse, err error) {
	list, err := json.Marshal(mailboxes)
	if err != nil {
		return 0, nil, err
	}
	rows, err := s.db.QueryContext(ctx, liteLook, string(list))
	if err != nil {
		return 0, nil, sqliteError(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	seen = make(map[int64]glimpse, len(mailboxes))
	for rows.Next() {
		var id int64
		var g glimpse
		if err := rows.Scan(&id, &g.last, &g.closed, &epoch); err != nil {
			return 0, nil, sqliteError(err)
		}
		seen[id] = g
	}
	if err := rows.Err(); err != nil {
		return 0, nil, sqliteError(err)
	}
	return epoch, seen, nil
}

// sqliteError sorts an error: what the file, the disk or a lock has failed for is transient, what a statement was given is
// not.
func sqliteError(err error) error {
	var e *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_ERROR:
			return err
		}
		return fmt.Errorf("%w: %w", errTransient, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, driver.ErrBadConn),
		errors.Is(err, sql.ErrConnDone):
		return fmt.Errorf("%w: %w", errTransient, err)
	}
	return err
}

// commitError sorts an error of COMMIT.
func commitError(err error) error {
	if database.NotCommitted(err) {
		return fmt.Errorf("%w: %w", errTransient, err)
	}
	return fmt.Errorf("%w: %w", errOutcomeUnknown, err)
}

package mailbox

import (
	"context"
	"database/sql"
	"errors"

	"github.com/letterlock/letterlock/identity"
)

const (
	liteRemembered = `SELECT content, accepted_at, full_deliveries FROM sends WHERE day = ?1 AND key = ?2`

	liteCountBySender = `SELECT count(*) FROM messages WHERE id > ?1 AND id <= ?2 AND sender_user_id = ?3`

	liteBlocked = `SELECT count(*) FROM blocks WHERE mailbox_id = ?1 AND user_id = ?2`

	liteForget = `DELETE FROM sends WHERE day = ?1 AND key = ?2`

	liteFull = `UPDATE sends SET full_deliveries = ?3 WHERE day = ?1 AND key = ?2`

	liteUpdate = `UPDATE mailboxes SET last_number = ?2, acknowledged_number = ?3, waiting_count = ?4, waiting_bytes = ?5,
		accepted_count = ?6 WHERE id = ?1`

	liteInsert = `INSERT INTO messages (id, mailbox_id, message_id, sender_user_id, sender_device_id, sender_list_version, sent_at,
		expires_at, kind, nonce, ciphertext) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`
)

// sqliteTx runs statement by statement: there is no network to save round trips on.
type sqliteTx struct {
	store *sqliteStore
	ctx   context.Context
	// end gives the turn to write back; a second call does nothing.
	end func()
}

// waitForLock begins the transaction with the write lock.
func (t *sqliteTx) waitForLock(ctx context.Context) error {
	_, err := t.store.conn.ExecContext(ctx, `BEGIN IMMEDIATE`)
	return err
}

func (t *sqliteTx) begin(r request) (*claimed, error) {
	found := &claimed{
		mailboxes: make(map[identity.DeviceID]*mailboxRow, len(r.devices)),
		fresh:     make(map[sendKey]bool, len(r.claims)),
		removed:   make(map[int64]removal, len(r.acknowledged)),
	}
	if err := t.row(liteEpoch).Scan(&found.epoch); err != nil {
		return nil, err
	}
	for _, device := range r.devices {
		row := new(mailboxRow)
		err := row.scan(t.row(liteLock, device.String()).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found.mailboxes[device] = row
	}
	for _, a := range r.acknowledged {
		if err := t.acknowledge(a, found); err != nil {
			return nil, err
		}
	}
	for i := range r.claims {
		c := &r.claims[i]
		n, err := t.exec(liteClaim, c.day, c.key[:], c.content[:], r.now)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			found.fresh[c.sendKey] = true
		}
	}
	return found, nil
}

func (t *sqliteTx) acknowledge(a acknowledged, found *claimed) error {
	row := found.mailboxes[a.device]
	if row == nil || row.closed || a.upTo.number <= row.acknowledged || !a.upTo.isWithin(found.epoch, row.id, row.last) {
		return nil
	}
	from, to := messageID(row.id, row.acknowledged), messageID(row.id, a.upTo.number)
	var gone removal
	if err := t.row(liteSize, from, to).Scan(&gone.count, &gone.bytes); err != nil {
		return err
	}
	found.removed[row.id] = gone
	if gone.count == 0 {
		return nil
	}
	_, err := t.exec(liteAcknowledge, from, to)
	return err
}

func (t *sqliteTx) remembered(_ context.Context, keys []sendKey) (map[sendKey]memory, error) {
	known := make(map[sendKey]memory, len(keys))
	for i := range keys {
		var m memory
		var content []byte
		err := t.row(liteRemembered, keys[i].day, keys[i].key[:]).Scan(&content, &m.acceptedAt, &m.full)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, sqliteError(err)
		}
		if len(content) != len(m.content) {
			return nil, errors.New("a stored hash has another length")
		}
		copy(m.content[:], content)
		known[keys[i]] = m
	}
	return known, nil
}

func (t *sqliteTx) countBySender(_ context.Context, pairs []senderPair) (map[senderPair]int64, error) {
	counts := make(map[senderPair]int64, len(pairs))
	for _, pair := range pairs {
		var n int64
		err := t.row(liteCountBySender, messageID(pair.mailbox, 0), messageID(pair.mailbox, maxNumber), pair.user.String()).Scan(&n)
		if err != nil {
			return nil, sqliteError(err)
		}
		counts[pair] = n
	}
	return counts, nil
}

func (t *sqliteTx) blocked(_ context.Context, pairs []senderPair) (map[senderPair]bool, error) {
	found := make(map[senderPair]bool)
	for _, pair := range pairs {
		var n int
		if err := t.row(liteBlocked, pair.mailbox, pair.user.String()).Scan(&n); err != nil {
			return nil, sqliteError(err)
		}
		if n > 0 {
			found[pair] = true
		}
	}
	return found, nil
}

func (t *sqliteTx) commit(_ context.Context, c *changes) error {
	defer t.end()
	if err := t.write(c); err != nil {
		t.store.drop()
		return sqliteError(err)
	}
	if _, err := t.exec(`COMMIT`); err != nil {
		t.store.drop() // with it what is open is rolled back
		return commitError(err)
	}
	return nil
}

func (t *sqliteTx) write(c *changes) error {
	for _, key := range c.refused {
		if _, err := t.exec(liteForget, key.day, key.key[:]); err != nil {
			return err
		}
	}
	for _, full := range c.full {
		if _, err := t.exec(liteFull, full.day, full.key[:], full.bits); err != nil {
			return err
		}
	}
	for _, row := range c.mailboxes {
		if _, err := t.exec(liteUpdate, row.id, row.last, row.acknowledged, row.count, row.bytes, row.accepted); err != nil {
			return err
		}
	}
	for i := range c.messages {
		m := &c.messages[i]
		if _, err := t.exec(liteInsert, m.ID, m.ID>>numberBits, m.MessageID.String(), m.SenderUser.String(), m.SenderDevice.String(),
			m.SenderListVersion, m.SentAt.UnixMicro(), m.ExpiresAt.UnixMicro(), int64(m.Kind), m.Nonce, m.Ciphertext); err != nil {
			return err
		}
	}
	return nil
}

func (t *sqliteTx) rollback() {
	defer t.end()
	if _, err := t.exec(`ROLLBACK`); err != nil {
		t.store.drop()
	}
}

// exec runs a prepared statement and gives the number of rows that it changed.
func (t *sqliteTx) exec(query string, args ...any) (int64, error) {
	statement, err := t.prepared(query) //nolint:sqlclosecheck // it stays prepared until the store closes
	if err != nil {
		return 0, err
	}
	result, err := statement.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row runs a prepared query for one row.
func (t *sqliteTx) row(query string, args ...any) rowScanner {
	statement, err := t.prepared(query) //nolint:sqlclosecheck // it stays prepared until the store closes
	if err != nil {
		return failedRow{err}
	}
	return statement.QueryRowContext(t.ctx, args...)
}

type rowScanner interface{ Scan(...any) error }

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

func (t *sqliteTx) prepared(query string) (*sql.Stmt, error) {
	if statement := t.store.statements[query]; statement != nil {
		return statement, nil
	}
	statement, err := t.store.conn.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, err
	}
	t.store.statements[query] = statement
	return statement, nil
}

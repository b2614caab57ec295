package mailbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/letterlock/letterlock/identity"
)

const (
	pgRemembered = `SELECT s.day, s.key, s.content, s.accepted_at, s.full_deliveries
		FROM unnest($1::int[], $2::bytea[]) AS w(day, key) JOIN sends s ON s.day = w.day AND s.key = w.key`

	pgCountBySender = `SELECT b.id, m.sender_user_id, count(*) FROM (SELECT DISTINCT id FROM unnest($1::bigint[]) AS u(id)) AS w
		LEFT JOIN mailboxes b ON b.id = w.id
		LEFT JOIN messages m ON m.mailbox_id = b.id AND m.id > (b.id << 32 | b.acknowledged_number) AND m.id <= (b.id << 32 | 4294967295)
			AND m.sender_user_id = ANY($2)
		GROUP BY b.id, m.sender_user_id HAVING count(m.id) > 0`

	pgBlocked = `SELECT w.place FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS w(mailbox, user_id, place)
		JOIN blocks b ON b.mailbox_id = w.mailbox AND b.user_id = w.user_id`

	pgForget = `DELETE FROM sends s USING unnest($1::int[], $2::bytea[]) AS w(day, key) WHERE s.day = w.day AND s.key = w.key`

	pgFull = `UPDATE sends s SET full_deliveries = w.bits FROM unnest($1::int[], $2::bytea[], $3::bytea[]) AS w(day, key, bits)
		WHERE s.day = w.day AND s.key = w.key`

	pgUpdate = `UPDATE mailboxes m SET last_number = w.last, acknowledged_number = w.acknowledged, waiting_count = w.count,
			waiting_bytes = w.bytes, accepted_count = w.accepted
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
			AS w(id, last, acknowledged, count, bytes, accepted)
		WHERE m.id = w.id`

	pgInsert = `INSERT INTO messages (id, mailbox_id, message_id, sender_user_id, sender_device_id, sender_list_version, sent_at,
			expires_at, kind, nonce, ciphertext)
		SELECT w.id, w.id >> 32, w.message_id, w.user_id, w.device_id, w.version, w.sent_at, w.expires_at, w.kind, w.nonce, w.ciphertext
		FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::smallint[],
			$9::bytea[], $10::bytea[])
			AS w(id, message_id, user_id, device_id, version, sent_at, expires_at, kind, nonce, ciphertext)`
)

type postgresTx struct {
	store *postgresStore
	conn  *pgx.Conn
}

func (t *postgresTx) remembered(ctx context.Context, keys []sendKey) (map[sendKey]memory, error) {
	days, raw := splitKeys(keys)
	known := make(map[sendKey]memory, len(keys))
	rows, err := t.conn.Query(ctx, pgRemembered, days, raw)
	if err != nil {
		return nil, t.store.failure(t.conn, err, false)
	}
	defer rows.Close()
	err = eachRow(rows, func() error {
		var key sendKey
		var m memory
		var rawKey, content []byte
		if err := rows.Scan(&key.day, &rawKey, &content, &m.acceptedAt, &m.full); err != nil {
			return err
		}
		if len(rawKey) != sha256.Size || len(content) != sha256.Size {
			return errors.New("a stored hash has another length")
		}
		copy(key.key[:], rawKey)
		copy(m.content[:], content)
		known[key] = m
		return nil
	})
	if err != nil {
		return nil, t.store.failure(t.conn, err, false)
	}
	return known, nil
}

// countBySender scans each mailbox once, whatever the number of senders.
func (t *postgresTx) countBySender(ctx context.Context, pairs []senderPair) (map[senderPair]int64, error) {
	mailboxes, users := make([]int64, len(pairs)), make([]string, len(pairs))
	for i, pair := range pairs {
		mailboxes[i], users[i] = pair.mailbox, pair.user.String()
	}
	counts := make(map[senderPair]int64, len(pairs))
	rows, err := t.conn.Query(ctx, pgCountBySender, mailboxes, users)
	if err != nil {
		return nil, t.store.failure(t.conn, err, false)
	}
	defer rows.Close()
	err = eachRow(rows, func() error {
		var pair senderPair
		var user string
		var n int64
		if err := rows.Scan(&pair.mailbox, &user, &n); err != nil {
			return err
		}
		pair.user, err = identity.ParseUserID(user)
		counts[pair] = n
		return err
	})
	if err != nil {
		return nil, t.store.failure(t.conn, err, false)
	}
	return counts, nil
}

func (t *postgresTx) blocked(ctx context.Context, pairs []senderPair) (map[senderPair]bool, error) {
	mailboxes, users := make([]int64, len(pairs)), make([]string, len(pairs))
	for i, pair := range pairs {
		mailboxes[i], users[i] = pair.mailbox, pair.user.String()
	}
	found := make(map[senderPair]bool)
	rows, err := t.conn.Query(ctx, pgBlocked, mailboxes, users)
	if err != nil {
		return nil, t.store.failure(t.conn, err, false)
	}
	defer rows.Close()
	err = eachRow(rows, func() error {
		var place int
		if err := rows.Scan(&place); err != nil {
			return err
		}
		found[pairs[place-1]] = true
		return nil
	})
	if err != nil {
		return nil, t.store.failure(t.conn, err, false)
	}
	return found, nil
}

// commit is one round trip: what was written before COMMIT is only ever seen with it.
func (t *postgresTx) commit(ctx context.Context, c *changes) error {
	batch := new(pgx.Batch)
	if len(c.refused) > 0 {
		days, keys := splitKeys(c.refused)
		batch.Queue(pgForget, days, keys)
	}
	queueFull(batch, c.full)
	queueMailboxes(batch, c.mailboxes)
	queueMessages(batch, c.messages)
	committed := false
	batch.Queue(`COMMIT`).Exec(func(tag pgconn.CommandTag) error {
		// A transaction that has failed answers ROLLBACK.
		committed = tag.String() == "COMMIT"
		return nil
	})
	err := t.conn.SendBatch(ctx, batch).Close()
	switch {
	case err != nil:
		err = t.store.failure(t.conn, err, true)
	case !committed:
		err = fmt.Errorf("%w: COMMIT rolled back", errTransient)
	}
	t.rollback()
	return err
}

// rollback ends what is open, nothing after a commit. A connection on which that fails is closed, and the server ends the
// transaction with it.
func (t *postgresTx) rollback() {
	if !t.idle() {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
		defer cancel()
		_, _ = t.conn.Exec(ctx, `ROLLBACK`)
	}
	if !t.idle() {
		t.store.close()
	}
}

func (t *postgresTx) idle() bool {
	return !t.conn.IsClosed() && t.conn.PgConn().TxStatus() == 'I'
}

func splitKeys(keys []sendKey) ([]int32, [][]byte) {
	days, raw := make([]int32, len(keys)), make([][]byte, len(keys))
	for i := range keys {
		days[i], raw[i] = keys[i].day, keys[i].key[:]
	}
	return days, raw
}

func queueFull(batch *pgx.Batch, list []fullDeliveries) {
	if len(list) == 0 {
		return
	}
	days, keys, bits := make([]int32, len(list)), make([][]byte, len(list)), make([][]byte, len(list))
	for i := range list {
		days[i], keys[i], bits[i] = list[i].day, list[i].key[:], list[i].bits
	}
	batch.Queue(pgFull, days, keys, bits)
}

func queueMailboxes(batch *pgx.Batch, rows []*mailboxRow) {
	if len(rows) == 0 {
		return
	}
	var columns [6][]int64
	for _, row := range rows {
		for i, value := range [...]int64{row.id, row.last, row.acknowledged, row.count, row.bytes, row.accepted} {
			columns[i] = append(columns[i], value)
		}
	}
	batch.Queue(pgUpdate, columns[0], columns[1], columns[2], columns[3], columns[4], columns[5])
}

func queueMessages(batch *pgx.Batch, messages []Message) {
	n := len(messages)
	if n == 0 {
		return
	}
	ids, names := make([]int64, n), make([]uuid.UUID, n)
	users, devices := make([]string, n), make([]string, n)
	versions, sent, expires, kinds := make([]int64, n), make([]int64, n), make([]int64, n), make([]int16, n)
	nonces, ciphertexts := make([][]byte, n), make([][]byte, n)
	for i := range messages {
		m := &messages[i]
		ids[i], names[i] = m.ID, m.MessageID
		users[i], devices[i], versions[i] = m.SenderUser.String(), m.SenderDevice.String(), int64(m.SenderListVersion)
		sent[i], expires[i], kinds[i] = m.SentAt.UnixMicro(), m.ExpiresAt.UnixMicro(), int16(m.Kind)
		nonces[i], ciphertexts[i] = m.Nonce, m.Ciphertext
	}
	batch.Queue(pgInsert, ids, names, users, devices, versions, sent, expires, kinds, nonces, ciphertexts)
}

package mailbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/letterlock/letterlock/internal/database"
)

// A plan is one round trip: BEGIN to COMMIT are sent at once, and the first statement that fails keeps all later ones, COMMIT
// among them, from running. What a plan takes for granted is therefore checked by dividing by zero where it does not hold; what
// is divided is asked for as a column, since PostgreSQL computes nothing that nobody asks for.
//
// Statements are planned once, when a table may still be empty, and have to be good when it holds millions of rows. Where it matters what is
// looked up first, a left join says so: without hash and merge joins it can be walked from the left alone. Both ends
// of a range of messages come from one row, or the index would be read from one end to the end of the table.
//
// Statements also hold where messages has partitions by mailbox (docs/scaling.md): what is deleted is named by its id, not by
// its place in a table, which another partition has as well.
//
// Row locks are taken in the order of mailbox ids, as everywhere: by pgPlanMove itself, which walks its rows in the order in
// which they are given (see pgWriterSettings), or by pgPlanLock before it. An id that was sent before fails as a double key;
// the lock of its sender's mailbox has been waited for by then, so that a first try has either committed or is gone.
const (
	pgPlanEpoch = `SELECT 1 / (epoch = $1)::int FROM stores WHERE id = 1`

	pgPlanLock = `SELECT id FROM mailboxes WHERE id = ANY($1) ORDER BY id FOR UPDATE`

	pgPlanAcknowledge = `WITH w AS (
			SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS w(id, number)
		), ranges AS MATERIALIZED (
			SELECT b.id AS mailbox, b.id << 32 | b.acknowledged_number AS low, b.id << 32 | w.number AS high
			FROM w LEFT JOIN mailboxes b ON b.id = w.id
		), gone AS (
			DELETE FROM messages WHERE id = ANY(ARRAY(SELECT m.id FROM ranges r LEFT JOIN messages m ON m.mailbox_id = r.mailbox AND m.id > r.low AND m.id <= r.high))
			RETURNING mailbox_id, octet_length(ciphertext) AS size
		), sums AS (
			SELECT mailbox_id, count(*) AS n, sum(size) AS bytes FROM gone GROUP BY mailbox_id
		), done AS (
			UPDATE mailboxes m SET waiting_count = m.waiting_count - coalesce(s.n, 0), waiting_bytes = m.waiting_bytes - coalesce(s.bytes, 0),
				acknowledged_number = greatest(m.acknowledged_number, w.number)
			FROM w LEFT JOIN sums s ON s.mailbox_id = w.id
			WHERE m.id = w.id AND NOT m.closed AND w.number <= m.last_number
			RETURNING m.id, m.acknowledged_number, m.waiting_count, coalesce(s.n, 0) AS n
		), checked AS (
			SELECT 1 / (count(*) = $3)::int AS sound FROM done
		) SELECT c.sound, d.id, d.acknowledged_number, d.waiting_count, d.n FROM checked c LEFT JOIN done d ON true`

	pgPlanMove = `WITH moved AS (
			UPDATE mailboxes m SET last_number = m.last_number + w.coming, waiting_count = m.waiting_count + w.coming,
				waiting_bytes = m.waiting_bytes + w.bytes, accepted_count = m.accepted_count + w.accepted
			FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS w(id, version, coming, bytes, accepted)
			WHERE m.id = w.id AND NOT m.closed AND m.list_version = w.version AND m.last_number + w.coming <= 4294967295
				AND (w.coming = 0 OR NOT m.blocking AND m.waiting_count + w.coming <= $6 AND m.waiting_bytes + w.bytes <= $7)
			RETURNING m.id, m.last_number, m.waiting_count
		), checked AS (
			SELECT 1 / (count(*) = $8)::int AS sound FROM moved
		) SELECT c.sound, m.id, m.last_number, m.waiting_count FROM checked c LEFT JOIN moved m ON true`

	pgPlanClaim = `INSERT INTO sends (day, key, content, accepted_at)
		SELECT w.day, w.key, w.content, $4 FROM unnest($1::int[], $2::bytea[], $3::bytea[]) AS w(day, key, content)`

	pgPlanInsert = `INSERT INTO messages (id, mailbox_id, message_id, sender_user_id, sender_device_id, sender_list_version, sent_at,
			expires_at, kind, nonce, ciphertext)
		SELECT m.id << 32 | (m.last_number - w.behind), m.id, w.message_id, w.user_id, w.device_id, w.version, $1, w.expires_at, w.kind,
			w.nonce, w.ciphertext
		FROM unnest($2::bigint[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::smallint[],
				$10::bytea[], $11::bytea[])
			AS w(mailbox, behind, message_id, user_id, device_id, version, expires_at, kind, nonce, ciphertext)
			LEFT JOIN mailboxes m ON m.id = w.mailbox`
)

// pgPlanned stay prepared on the writer's connection, also when one of them fails.
var pgPlanned = [...]string{pgPlanEpoch, pgPlanLock, pgPlanAcknowledge, pgPlanMove, pgPlanClaim, pgPlanInsert}

// pgDivisionByZero and pgDoubleKey are the SQLSTATEs of a plan that does not hold.
const (
	pgDivisionByZero = "22012"
	pgDoubleKey      = "23505"
)

func (s *postgresStore) commitPlan(ctx context.Context, p *plan) error {
	if err := s.ensureDays(ctx, p.claims); err != nil {
		return err
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	batch := new(pgx.Batch)
	batch.Queue(`BEGIN`)
	batch.Queue(pgPlanEpoch, p.epoch)
	queuePlanAcknowledged(batch, p)
	queuePlanMoved(batch, p)
	queuePlanClaims(batch, p)
	queuePlanMessages(batch, p)
	committed := false
	batch.Queue(`COMMIT`).Exec(func(tag pgconn.CommandTag) error {
		// A transaction that has failed answers ROLLBACK.
		committed = tag.String() == "COMMIT"
		return nil
	})
	tx := &postgresTx{store: s, conn: s.conn}
	err := s.conn.SendBatch(ctx, batch).Close()
	switch {
	case err != nil:
		err = s.planFailure(err)
	case !committed:
		err = fmt.Errorf("%w: COMMIT rolled back", errTransient)
	}
	if err != nil && !errors.Is(err, errUnplanned) {
		s.close() // It may be that a statement has to be prepared anew.
		return err
	}
	tx.rollback()
	return err
}

// planFailure sorts an error of a plan.
func (s *postgresStore) planFailure(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) && database.Survived(e) && (e.Code == pgDivisionByZero || e.Code == pgDoubleKey) {
		return errUnplanned
	}
	return s.failure(s.conn, err, true)
}

// queuePlanAcknowledged locks all rows first: what is deleted may be deleted by others under the same locks.
func queuePlanAcknowledged(batch *pgx.Batch, p *plan) {
	if p.acknowledging == 0 {
		return
	}
	all := make([]int64, len(p.rows))
	var ids, numbers []int64
	for i, row := range p.rows {
		all[i] = row.known.id
		if row.upTo > 0 {
			ids, numbers = append(ids, row.known.id), append(numbers, row.upTo)
		}
	}
	batch.Queue(pgPlanLock, all)
	batch.Queue(pgPlanAcknowledge, ids, numbers, len(ids)).Query(func(rows pgx.Rows) error {
		return eachRow(rows, func() error {
			var sound, id int64
			var found planRow
			if err := rows.Scan(&sound, &id, &found.acknowledged, &found.waiting, &found.removed); err != nil {
				return err
			}
			if row := p.rowOf(id); row != nil {
				row.acknowledged, row.waiting, row.removed = found.acknowledged, found.waiting, found.removed
			}
			return nil
		})
	})
}

func queuePlanMoved(batch *pgx.Batch, p *plan) {
	n := 0
	for _, row := range p.rows {
		if row.moves() {
			n++
		}
	}
	if n == 0 {
		return
	}
	ids, versions := newArray(pgtype.Int8OID, n, 8), newArray(pgtype.Int8OID, n, 8)
	coming, bytes, accepted := newArray(pgtype.Int8OID, n, 8), newArray(pgtype.Int8OID, n, 8), newArray(pgtype.Int8OID, n, 8)
	for _, row := range p.rows {
		if row.moves() {
			ids.int64(row.known.id)
			versions.int64(int64(row.known.version))
			coming.int64(row.coming)
			bytes.int64(row.bytes)
			accepted.int64(row.accepted)
		}
	}
	// Up to its quota no sender has to be counted, whatever other nodes have put there (quota.go).
	most := min(p.limits.MaxMessages, p.limits.MaxMessagesPerSender)
	query := batch.Queue(pgPlanMove, ids, versions, coming, bytes, accepted, most, p.limits.MaxBytes, n)
	query.Query(func(rows pgx.Rows) error {
		return eachRow(rows, func() error {
			var sound, id, last, waiting int64
			if err := rows.Scan(&sound, &id, &last, &waiting); err != nil {
				return err
			}
			if row := p.rowOf(id); row != nil {
				row.last, row.waiting = last, waiting
			}
			return nil
		})
	})
}

func queuePlanClaims(batch *pgx.Batch, p *plan) {
	n := len(p.claims)
	if n == 0 {
		return
	}
	days, keys, contents := newArray(pgtype.Int4OID, n, 4), newArray(pgtype.ByteaOID, n, sha256.Size), newArray(pgtype.ByteaOID, n, sha256.Size)
	for i := range p.claims {
		days.int32(p.claims[i].day)
		keys.bytes(p.claims[i].key[:])
		contents.bytes(p.claims[i].content[:])
	}
	batch.Queue(pgPlanClaim, days, keys, contents, p.now.UnixMicro())
}

func queuePlanMessages(batch *pgx.Batch, p *plan) {
	n := len(p.envelopes)
	if n == 0 {
		return
	}
	size := 0
	for i := range p.envelopes {
		size += len(p.envelopes[i].Ciphertext)
	}
	mailboxes, behind, names := newArray(pgtype.Int8OID, n, 8), newArray(pgtype.Int8OID, n, 8), newArray(pgtype.UUIDOID, n, 16)
	users, devices, versions := newArray(pgtype.TextOID, n, 33), newArray(pgtype.TextOID, n, 33), newArray(pgtype.Int8OID, n, 8)
	expires, kinds := newArray(pgtype.Int8OID, n, 8), newArray(pgtype.Int2OID, n, 2)
	nonces, ciphertexts := newArray(pgtype.ByteaOID, n, nonceLength), newArray(pgtype.ByteaOID, n, size/n+1)
	for i := range p.envelopes {
		e := &p.envelopes[i]
		mailboxes.int64(e.row.known.id)
		behind.int64(e.row.coming - e.place)
		names.uuid(e.send.messages[e.message].MessageID)
		users.text(e.sender.known.userText)
		devices.text(e.sender.known.deviceText)
		versions.int64(int64(e.sender.known.version))
		expires.int64(p.now.Add(e.send.lifetime(e.addressed, p.limits)).UnixMicro())
		kinds.int16(int16(e.Kind))
		nonces.bytes(e.Nonce)
		ciphertexts.bytes(e.Ciphertext)
	}
	batch.Queue(pgPlanInsert, p.now.UnixMicro(), mailboxes, behind, names, users, devices, versions, expires, kinds, nonces, ciphertexts)
}

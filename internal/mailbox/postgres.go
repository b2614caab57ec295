package mailbox

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"

	"github.com/letterlock/letterlock/identity"
)

// rollbackTimeout bounds the end of a transaction that has failed; its connection is thrown away if that fails, too.
const rollbackTimeout = 2 * time.Second

// postgresStore runs at READ COMMITTED: each statement sees what was committed before it, so one that follows the locks
// sees everything that the holders of those locks have done.
//
// The writer has a connection of its own: it does not queue for one behind readers, and plans its statements in its own way.
type postgresStore struct {
	pool *pgxpool.Pool
	// conn belongs to the writer; nil until it needs it, and after a failure.
	conn *pgx.Conn

	// reading bounds the pages that are read at once to half of the pool: after a restart all devices come back to read, and others
	// need connections too.
	reading *semaphore.Weighted

	mu sync.Mutex
	// days are those that sends has a partition for.
	days map[int32]bool
}

func newPostgresStore(pool *pgxpool.Pool) *postgresStore {
	return &postgresStore{pool: pool, reading: semaphore.NewWeighted(int64(max(1, pool.Config().MaxConns/2))), days: make(map[int32]bool)}
}

// pgWriterSettings are those of the writer's connection. Tables that have just been made have no statistics, and a plan that
// reads all of a small table would stay in use while it grows. Without hash and merge joins an update walks its rows in the
// order in which they are given, and locks them so. Statements are planned once.
var pgWriterSettings = [...]string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin"}

// connect opens the writer's connection if there is none.
func (s *postgresStore) connect(ctx context.Context) (err error) {
	if s.conn != nil {
		return nil
	}
	config := s.pool.Config().ConnConfig
	for _, setting := range pgWriterSettings {
		config.RuntimeParams[setting] = "off"
	}
	config.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	if s.conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		s.conn = nil
		return fmt.Errorf("%w: connect: %w", errTransient, err)
	}
	takeArrays(s.conn)
	for _, statement := range pgPlanned {
		if _, err := s.conn.Prepare(ctx, statement, statement); err != nil {
			err = s.failure(s.conn, err, false)
			s.close()
			return fmt.Errorf("prepare: %w", err)
		}
	}
	return nil
}

// close ends the writer's connection.
func (s *postgresStore) close() {
	if s.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
		defer cancel()
		_ = s.conn.Close(ctx)
		s.conn = nil
	}
}

const (
	pgMailboxColumns = `m.id, m.device_id, m.user_id, m.list_version, m.closed, m.blocking, m.last_number, m.acknowledged_number,
		m.waiting_count, m.waiting_bytes, m.accepted_count`

	pgLock = `SELECT ` + pgMailboxColumns + ` FROM mailboxes m WHERE m.device_id = ANY($1) ORDER BY m.id FOR UPDATE`

	pgEpoch = `SELECT epoch FROM stores WHERE id = 1`

	pgClaim = `INSERT INTO sends (day, key, content, accepted_at)
		SELECT w.day, w.key, w.content, $4 FROM unnest($1::int[], $2::bytea[], $3::bytea[]) AS w(day, key, content)
		ON CONFLICT DO NOTHING RETURNING day, key`

	// See postgres_plan.go on the joins.
	pgAcknowledge = `WITH ranges AS MATERIALIZED (
			SELECT b.id AS mailbox, b.id << 32 | b.acknowledged_number AS low, b.id << 32 | w.number AS high
			FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w(device_id, epoch, mailbox, number)
				LEFT JOIN mailboxes b ON b.device_id = w.device_id AND b.id = w.mailbox AND NOT b.closed AND w.number <= b.last_number
					AND w.epoch = (SELECT epoch FROM stores WHERE id = 1)
		), gone AS (
			DELETE FROM messages WHERE id = ANY(ARRAY(SELECT m.id FROM ranges r LEFT JOIN messages m ON m.mailbox_id = r.mailbox AND m.id > r.low AND m.id <= r.high))
			RETURNING mailbox_id, octet_length(ciphertext) AS size
		) SELECT mailbox_id, count(*), sum(size) FROM gone GROUP BY mailbox_id`

	pgStanding = `SELECT ` + pgMailboxColumns + `, m.expired_count, m.reader, s.epoch
		FROM mailboxes m, stores s WHERE m.device_id = $1 AND s.id = 1`

	// It compares and counts in one: a statement that the network delivers late, long after its caller has given up and the
	// device is at another node, must not count as the newest.
	pgReader = `UPDATE mailboxes SET reader = $2 + 1 WHERE id = $1 AND reader = $2 AND NOT closed`

	// The mailbox is in the id already; it says which partition to read where there are some (docs/scaling.md).
	// The mailbox is not named beside the range: PostgreSQL takes the two for independent of each other, expects next to no rows, and sorts all of
	// a long mailbox for each page.
	//
	// A ciphertext behind the one that reaches $5 bytes is not read: such a row only says that there is more.
	pgPage = `SELECT id, message_id, sender_user_id, sender_device_id, sender_list_version, sent_at, expires_at, kind, nonce,
			CASE WHEN sum(octet_length(ciphertext)) OVER (ORDER BY id) - octet_length(ciphertext) < $5 THEN ciphertext END
		FROM (SELECT * FROM messages WHERE id > $1 AND id <= $2 AND expires_at > $3 ORDER BY id LIMIT $4) AS m ORDER BY id`

	pgLook = `SELECT m.id, m.last_number, m.closed, m.reader, s.epoch FROM mailboxes m, stores s WHERE m.id = ANY($1) AND s.id = 1`
)

// begin is one round trip, whatever the batch holds.
func (s *postgresStore) begin(ctx context.Context, r request) (_ transaction, _ *claimed, err error) {
	if err := s.ensureDays(ctx, r.claims); err != nil {
		return nil, nil, err
	}
	if err := s.connect(ctx); err != nil {
		return nil, nil, err
	}
	tx := &postgresTx{store: s, conn: s.conn}
	found := &claimed{
		mailboxes: make(map[identity.DeviceID]*mailboxRow, len(r.devices)),
		fresh:     make(map[sendKey]bool, len(r.claims)),
		removed:   make(map[int64]removal, len(r.acknowledged)),
	}
	batch := new(pgx.Batch)
	batch.Queue(`BEGIN`)
	batch.Queue(pgLock, texts(r.devices)).Query(found.readMailboxes)
	batch.Queue(pgEpoch).QueryRow(func(row pgx.Row) error { return row.Scan(&found.epoch) })
	queueAcknowledged(batch, r.acknowledged, found)
	queueClaims(batch, r.claims, r.now, found)
	if err := s.conn.SendBatch(ctx, batch).Close(); err != nil {
		err = s.failure(s.conn, err, false)
		tx.rollback()
		return nil, nil, err
	}
	return tx, found, nil
}

func queueClaims(batch *pgx.Batch, claims []claim, now int64, found *claimed) {
	if len(claims) == 0 {
		return
	}
	days, keys, contents := make([]int32, len(claims)), make([][]byte, len(claims)), make([][]byte, len(claims))
	for i := range claims {
		days[i], keys[i], contents[i] = claims[i].day, claims[i].key[:], claims[i].content[:]
	}
	batch.Queue(pgClaim, days, keys, contents, now).Query(func(rows pgx.Rows) error {
		return eachRow(rows, func() error {
			var key sendKey
			var raw []byte
			if err := rows.Scan(&key.day, &raw); err != nil {
				return err
			}
			copy(key.key[:], raw)
			found.fresh[key] = true
			return nil
		})
	})
}

func queueAcknowledged(batch *pgx.Batch, list []acknowledged, found *claimed) {
	if len(list) == 0 {
		return
	}
	devices := make([]string, len(list))
	epochs, mailboxes, numbers := make([]int64, len(list)), make([]int64, len(list)), make([]int64, len(list))
	for i, a := range list {
		devices[i], epochs[i], mailboxes[i], numbers[i] = a.device.String(), a.upTo.epoch, a.upTo.mailbox, a.upTo.number
	}
	batch.Queue(pgAcknowledge, devices, epochs, mailboxes, numbers).Query(func(rows pgx.Rows) error {
		return eachRow(rows, func() error {
			var id int64
			var r removal
			if err := rows.Scan(&id, &r.count, &r.bytes); err != nil {
				return err
			}
			found.removed[id] = r
			return nil
		})
	})
}

func (s *postgresStore) standing(ctx context.Context, device identity.DeviceID) (standing, bool, error) {
	var found standing
	var ok bool
	batch := new(pgx.Batch)
	queueStanding(batch, device, &found, &ok)
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return standing{}, false, readError(err)
	}
	return found, ok, nil
}

func queueStanding(batch *pgx.Batch, device identity.DeviceID, found *standing, ok *bool) {
	batch.Queue(pgStanding, device.String()).Query(func(rows pgx.Rows) error {
		return eachRow(rows, func() error {
			*ok = true
			return found.scan(rows.Scan, &found.expired, &found.reader, &found.epoch)
		})
	})
}

// claim is one commit, and on disk when it answers: a node outlives a crash of its database, and the number of its reader must be
// there, too.
func (s *postgresStore) claim(ctx context.Context, mailbox, reader int64) (int64, bool, error) {
	tag, err := s.pool.Exec(ctx, pgReader, mailbox, reader)
	switch {
	case hasMet(err):
		return 0, false, nil
	case err != nil:
		return 0, false, readError(err)
	}
	return reader + 1, tag.RowsAffected() == 1, nil
}

func (s *postgresStore) page(ctx context.Context, r pageRequest) (standing, []Message, bool, error) {
	if err := s.reading.Acquire(ctx, 1); err != nil {
		return standing{}, nil, false, fmt.Errorf("%w: wait to read: %w", errTransient, err)
	}
	defer s.reading.Release(1)
	found := standing{mailboxRow: mailboxRow{closed: true}}
	var ok, more bool
	var messages []Message
	batch := new(pgx.Batch)
	queueStanding(batch, r.device, &found, &ok)
	batch.Queue(pgPage, messageID(r.mailbox, r.after), messageID(r.mailbox, maxNumber), r.now, r.count+1, r.bytes).Query(func(rows pgx.Rows) error {
		return eachRow(rows, func() error {
			var m messageRow
			if err := rows.Scan(m.fields()...); err != nil {
				return err
			}
			if more = more || m.ciphertext == nil || len(messages) == r.count; more {
				return nil
			}
			message, err := m.message(found.epoch)
			messages = append(messages, message)
			return err
		})
	})
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return standing{}, nil, false, readError(err)
	}
	return found, messages, more, nil
}

func (s *postgresStore) look(ctx context.Context, mailboxes []int64) (int64, map[int64]glimpse, error) {
	var epoch int64
	seen := make(map[int64]glimpse, len(mailboxes))
	rows, err := s.pool.Query(ctx, pgLook, mailboxes)
	if err != nil {
		return 0, nil, readError(err)
	}
	defer rows.Close()
	err = eachRow(rows, func() error {
		var id int64
		var g glimpse
		if err := rows.Scan(&id, &g.last, &g.closed, &g.reader, &epoch); err != nil {
			return err
		}
		seen[id] = g
		return nil
	})
	if err != nil {
		return 0, nil, readError(err)
	}
	return epoch, seen, nil
}

func (c *claimed) readMailboxes(rows pgx.Rows) error {
	return eachRow(rows, func() error {
		row := new(mailboxRow)
		if err := row.scan(rows.Scan); err != nil {
			return err
		}
		c.mailboxes[row.device] = row
		return nil
	})
}

func eachRow(rows pgx.Rows, visit func() error) error {
	for rows.Next() {
		if err := visit(); err != nil {
			return err
		}
	}
	return rows.Err()
}

func texts(devices []identity.DeviceID) []string {
	list := make([]string, len(devices))
	for i, device := range devices {
		list[i] = device.String()
	}
	return list
}

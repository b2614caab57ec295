package mailbox

import (
	"context"

	"github.com/jackc/pgx/v5"
)

const (
	pgExpired = `SELECT id FROM messages WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2`

	pgLockByID = `SELECT id FROM mailboxes WHERE id = ANY($1) ORDER BY id FOR UPDATE`

	// A message that was acknowledged since it was found is not there to be deleted and does not count.
	pgSweep = `WITH gone AS (
			DELETE FROM messages WHERE id = ANY($1) RETURNING mailbox_id, octet_length(ciphertext) AS size
		), sums AS (
			SELECT mailbox_id, count(*) AS n, sum(size) AS bytes FROM gone GROUP BY mailbox_id
		) UPDATE mailboxes m SET waiting_count = m.waiting_count - s.n, waiting_bytes = m.waiting_bytes - s.bytes,
			expired_count = m.expired_count + s.n
		FROM sums s WHERE m.id = s.mailbox_id`
)

func (s *postgresStore) sweep(ctx context.Context, now int64, limit int) (n int, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, pgExpired, now, limit)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil || len(ids) == 0 {
			return err
		}
		n = len(ids)
		mailboxes := make([]int64, len(ids))
		for i, id := range ids {
			mailboxes[i] = id >> numberBits
		}
		if _, err := tx.Exec(ctx, pgLockByID, mailboxes); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, pgSweep, ids)
		return err
	})
	if err != nil {
		return 0, readError(err)
	}
	return n, nil
}

package mailbox

import (
	"context"
	"database/sql"
	"fmt"
)

const (
	// liteExpired names what is swept. The write lock is held, so it is the same in each statement.
	liteExpired = `(SELECT id FROM messages WHERE expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2)`

	liteCountExpired = `UPDATE mailboxes SET waiting_count = waiting_count - s.n, waiting_bytes = waiting_bytes - s.bytes,
			expired_count = expired_count + s.n
		FROM (SELECT mailbox_id, count(*) AS n, sum(length(ciphertext)) AS bytes FROM messages WHERE id IN ` + liteExpired + `
			GROUP BY mailbox_id) AS s
		WHERE mailboxes.id = s.mailbox_id`

	liteDeleteExpired = `DELETE FROM messages WHERE id IN ` + liteExpired

	liteForgetDays = `DELETE FROM sends WHERE (day, key) IN (SELECT day, key FROM sends WHERE day < ?1 LIMIT ?2)`
)

// forgetCount is how many remembered sends one transaction forgets.
const forgetCount = 2000

func (s *sqliteStore) sweep(ctx context.Context, now int64, limit int) (int, error) {
	end, err := s.turn(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errTransient, err)
	}
	defer end()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, sqliteError(err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, liteCountExpired, now, limit); err != nil {
		return 0, sqliteError(err)
	}
	n, err := affected(tx.ExecContext(ctx, liteDeleteExpired, now, limit))
	if err != nil {
		return 0, sqliteError(err)
	}
	return n, sqliteError(tx.Commit())
}

// keepDays forgets old days; new ones need no room made. Nothing is locked for long: the writer comes in between.
func (s *sqliteStore) keepDays(ctx context.Context, oldest, _, _ int32) error {
	for {
		n, err := s.forget(ctx, oldest)
		if err != nil || n < forgetCount {
			return err
		}
	}
}

func (s *sqliteStore) forget(ctx context.Context, oldest int32) (int, error) {
	end, err := s.turn(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errTransient, err)
	}
	defer end()
	n, err := affected(s.db.ExecContext(ctx, liteForgetDays, oldest, forgetCount))
	return n, sqliteError(err)
}

func affected(result sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

package tally

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/rate"
	"github.com/letterlock/letterlock/internal/database"
)

const (
	// sweepCount is how many rows one transaction deletes, so that others do not wait long for their turn.
	sweepCount = 1000
	// farAhead is beyond what any limit and any clock that is nearly right come to.
	farAhead = time.Hour
)

// Sweep deletes what makes no difference any more, and what a clock that was wrong has left. Who counts waits for it briefly, and it
// waits for nobody.
func (t *Tally) Sweep(ctx context.Context) error {
	for {
		n, err := t.sweepOnce(ctx)
		if err != nil || n < sweepCount {
			return err
		}
	}
}

func (t *Tally) sweepOnce(ctx context.Context) (deleted int, err error) {
	err = t.db.Write(ctx, "delete counts", func(ctx context.Context, tx *ent.Tx) error {
		now := t.now()
		query := tx.Rate.Query().Where(rate.Or(rate.UntilLTE(now.UnixMicro()), rate.UntilGT(now.Add(farAhead).UnixMicro()))).Limit(sweepCount)
		if t.db.Dialect == database.PostgreSQL {
			query = query.ForUpdate(sql.WithLockAction(sql.SkipLocked))
		}
		ids, err := query.IDs(ctx)
		if err != nil || len(ids) == 0 {
			return err
		}
		deleted, err = tx.Rate.Delete().Where(rate.IDIn(ids...)).Exec(ctx)
		return err
	})
	return deleted, err
}

package links

import (
	"context"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/linkmessage"
)

// sweepCount is how many messages one transaction deletes, so that others do not wait long for their turn.
const sweepCount = 200

// Sweep deletes what has expired. Nobody waits for it: what has expired is not given out either way.
func (s *Slots) Sweep(ctx context.Context) error {
	for {
		n, err := s.sweepOnce(ctx)
		if err != nil || n < sweepCount {
			return err
		}
	}
}

func (s *Slots) sweepOnce(ctx context.Context) (deleted int, err error) {
	err = s.db.Write(ctx, "delete from link slots", func(ctx context.Context, tx *ent.Tx) error {
		ids, err := tx.LinkMessage.Query().Where(linkmessage.ExpiresAtLTE(s.now())).Limit(sweepCount).IDs(ctx)
		if err != nil || len(ids) == 0 {
			return err
		}
		deleted, err = tx.LinkMessage.Delete().Where(linkmessage.IDIn(ids...)).Exec(ctx)
		return err
	})
	return deleted, err
}

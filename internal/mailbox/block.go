package mailbox

import (
	"context"
	"fmt"
	"slices"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/block"
	"github.com/letterlock/letterlock/ent/mailbox"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
)

// Block makes these the users from whom a device's mailbox takes nothing, in place of those before, in the directory's own
// transaction, which keeps the users from being deleted meanwhile. It locks the mailbox: a send that is numbered before this commits
// is delivered, no later one is. Senders are not told: their envelopes are answered as stored, count as accepted, and go nowhere.
//
// Errors: DEVICE_REMOVED.
func (s *Service) Block(ctx context.Context, tx *ent.Tx, device identity.DeviceID, users []identity.UserID) error {
	query := tx.Mailbox.Query().Where(mailbox.DeviceID(device.String()), mailbox.Closed(false))
	if s.dialect == database.PostgreSQL {
		query = query.ForUpdate()
	}
	row, err := query.Only(ctx)
	if ent.IsNotFound(err) {
		return deviceRemoved()
	}
	if err != nil {
		return fmt.Errorf("lock a mailbox: %w", err)
	}
	if err := replaceBlocks(ctx, tx, row.ID, users); err != nil {
		return fmt.Errorf("replace the blocks of a mailbox: %w", err)
	}
	return row.Update().SetBlocking(len(users) > 0).Exec(ctx)
}

// replaceBlocks leaves rows alone that stay.
func replaceBlocks(ctx context.Context, tx *ent.Tx, id int64, users []identity.UserID) error {
	names := make([]string, len(users))
	for i, user := range users {
		names[i] = user.String()
	}
	if _, err := tx.Block.Delete().Where(block.MailboxID(id), block.UserIDNotIn(names...)).Exec(ctx); err != nil {
		return err
	}
	stay, err := tx.Block.Query().Where(block.MailboxID(id)).Select(block.FieldUserID).Strings(ctx)
	if err != nil {
		return err
	}
	var rows []*ent.BlockCreate
	for _, name := range names {
		if !slices.Contains(stay, name) {
			rows = append(rows, tx.Block.Create().SetMailboxID(id).SetUserID(name))
		}
	}
	return tx.Block.CreateBulk(rows...).Exec(ctx)
}

// findBlocked finds the senders whom mailboxes take nothing from. Most mailboxes block nobody, and nothing is asked.
func (b *batch) findBlocked(ctx context.Context, tx transaction) error {
	var pairs []senderPair
	for _, w := range b.works {
		b.eachRow(w, func(row *mailboxRow) {
			if row.blocking && row.user != w.send.user {
				pairs = append(pairs, senderPair{mailbox: row.id, user: w.send.user})
			}
		})
	}
	if len(pairs) == 0 {
		return nil
	}
	slices.SortFunc(pairs, senderPair.compare)
	var err error
	b.blocked, err = tx.blocked(ctx, slices.Compact(pairs))
	return err
}

package mailbox

import (
	"context"
	"fmt"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/block"
	"github.com/letterlock/letterlock/ent/mailbox"
	"github.com/letterlock/letterlock/ent/message"
	"github.com/letterlock/letterlock/identity"
)

// A user may have hundreds of thousands of messages waiting, and on SQLite nobody else writes while a transaction does. So long mailboxes
// are drained first: those with more than drainAbove messages, drainStep at a time.
const (
	drainAbove = 1000
	drainStep  = 5000
)

// Drain deletes a part of what waits for a user who is about to be deleted, in a transaction of the directory's, and reports whether it
// did: then it is to be committed and called again. Readers pass over what has gone, as over what has expired.
func (s *Service) Drain(ctx context.Context, tx *ent.Tx, user identity.UserID) (more bool, err error) {
	if err := s.lockUser(ctx, tx, user); err != nil {
		return false, fmt.Errorf("lock the mailboxes of a user: %w", err)
	}
	row, err := tx.Mailbox.Query().Where(mailbox.UserID(user.String()), mailbox.WaitingCountGT(drainAbove)).Order(mailbox.ByID()).First(ctx)
	if ent.IsNotFound(err) {
		return false, nil
	}
	if err == nil {
		err = drain(ctx, tx, row)
	}
	if err != nil {
		return false, fmt.Errorf("drain a mailbox: %w", err)
	}
	return true, nil
}

func drain(ctx context.Context, tx *ent.Tx, row *ent.Mailbox) error {
	first, last := messageID(row.ID, 0), messageID(row.ID, maxNumber)
	ids, err := tx.Message.Query().Where(message.MailboxID(row.ID), message.IDGT(first), message.IDLTE(last)).Order(message.ByID()).
		Limit(drainStep).IDs(ctx)
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		last = ids[len(ids)-1]
	}
	bytes, err := waitingBytes(ctx, tx, row.ID, last)
	if err != nil {
		return err
	}
	n, err := tx.Message.Delete().Where(message.MailboxID(row.ID), message.IDGT(first), message.IDLTE(last)).Exec(ctx)
	if err != nil {
		return err
	}
	if n < drainStep { // the mailbox is empty, whatever was counted
		return row.Update().SetWaitingCount(0).SetWaitingBytes(0).Exec(ctx)
	}
	return row.Update().AddWaitingCount(-int64(n)).AddWaitingBytes(-bytes).Exec(ctx)
}

// waitingBytes adds up the ciphertexts of a mailbox up to a message.
func waitingBytes(ctx context.Context, tx *ent.Tx, id, last int64) (bytes int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT coalesce(sum(length(ciphertext)), 0) FROM messages WHERE mailbox_id = $1 AND id > $2 AND id <= $3`,
		id, messageID(id, 0), last)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(&bytes); err != nil {
			return 0, err
		}
	}
	return bytes, rows.Err()
}

// Delete deletes the mailboxes of a user, closed ones too, with all that waits in them, in the directory's own transaction. It
// locks as MoveList does; a send that waits for the lock finds that there is no such recipient, and one that is numbered before
// goes as well. What the user has sent waits on for its recipients. After the commit call Closed with the devices.
func (s *Service) Delete(ctx context.Context, tx *ent.Tx, user identity.UserID) error {
	if err := s.lockUser(ctx, tx, user); err != nil {
		return fmt.Errorf("lock the mailboxes of a user: %w", err)
	}
	ids, err := tx.Mailbox.Query().Where(mailbox.UserID(user.String())).IDs(ctx)
	if err != nil {
		return fmt.Errorf("find the mailboxes of a user: %w", err)
	}
	for _, id := range ids {
		if err := emptyMailbox(ctx, tx, id); err != nil {
			return fmt.Errorf("empty a mailbox: %w", err)
		}
	}
	if _, err := tx.Block.Delete().Where(block.UserID(user.String())).Exec(ctx); err != nil {
		return fmt.Errorf("delete blocks of a user: %w", err)
	}
	if _, err := tx.Mailbox.Delete().Where(mailbox.IDIn(ids...)).Exec(ctx); err != nil {
		return fmt.Errorf("delete mailboxes: %w", err)
	}
	return nil
}

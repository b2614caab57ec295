package mailbox

import (
	"context"
	"fmt"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/block"
	"github.com/letterlock/letterlock/ent/mailbox"
	"github.com/letterlock/letterlock/ent/message"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// MoveList makes a new version of a user's device list hold for sends (delivery contract 9), in the directory's own
// transaction: it locks the user's mailboxes in order of their ids, sets their list version, opens mailboxes for the
// devices that were added and closes those of the removed ones with all that waits in them. A send that is numbered
// before this transaction commits was sealed for the version before; every later one must name the new version.
//
// The devices are rows of the directory already. After the commit call Closed with the removed ones.
func (s *Service) MoveList(ctx context.Context, tx *ent.Tx, user identity.UserID, version uint32, added, removed []identity.DeviceID) error {
	if err := s.lockUser(ctx, tx, user); err != nil {
		return fmt.Errorf("lock the mailboxes of a user: %w", err)
	}
	if err := tx.Mailbox.Update().Where(mailbox.UserID(user.String())).SetListVersion(version).Exec(ctx); err != nil {
		return fmt.Errorf("move the list version of mailboxes: %w", err)
	}
	if err := closeMailboxes(ctx, tx, user, removed); err != nil {
		return fmt.Errorf("close mailboxes: %w", err)
	}
	for _, device := range added {
		row, err := tx.Mailbox.Create().SetDeviceID(device.String()).SetUserID(user.String()).SetListVersion(version).Save(ctx)
		if err != nil {
			return fmt.Errorf("open a mailbox: %w", err)
		}
		if row.ID > maxMailbox {
			return problem.New(problem.Internal, "The server has no room for another device.")
		}
	}
	return nil
}

// emptyMailbox deletes what waits in a mailbox, and whom it blocks.
func emptyMailbox(ctx context.Context, tx *ent.Tx, id int64) error {
	if _, err := tx.Block.Delete().Where(block.MailboxID(id)).Exec(ctx); err != nil {
		return err
	}
	first, last := messageID(id, 0), messageID(id, maxNumber)
	_, err := tx.Message.Delete().Where(message.MailboxID(id), message.IDGT(first), message.IDLTE(last)).Exec(ctx)
	return err
}

// Closed ends the readers of devices that were removed, here and, by way of the hub, on other nodes.
func (s *Service) Closed(devices ...identity.DeviceID) {
	s.readers.end(devices, deviceRemoved())
	s.known.forget(devices)
	for _, device := range devices {
		s.hub.Notify(wakeup.Hint[Message]{Device: device, Event: wakeup.Removed})
	}
}

// lockUser takes the row locks in the order in which every other writer takes them. A transaction of SQLite holds the only
// write lock there is.
func (s *Service) lockUser(ctx context.Context, tx *ent.Tx, user identity.UserID) error {
	if s.dialect != database.PostgreSQL {
		return nil
	}
	_, err := tx.Mailbox.Query().Where(mailbox.UserID(user.String())).Order(ent.Asc(mailbox.FieldID)).ForUpdate().IDs(ctx)
	return err
}

func closeMailboxes(ctx context.Context, tx *ent.Tx, user identity.UserID, devices []identity.DeviceID) error {
	if len(devices) == 0 {
		return nil
	}
	names := make([]string, len(devices))
	for i, device := range devices {
		names[i] = device.String()
	}
	rows, err := tx.Mailbox.Query().Where(mailbox.UserID(user.String()), mailbox.DeviceIDIn(names...)).All(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := emptyMailbox(ctx, tx, row.ID); err != nil {
			return err
		}
		if err := row.Update().SetClosed(true).SetBlocking(false).SetWaitingCount(0).SetWaitingBytes(0).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

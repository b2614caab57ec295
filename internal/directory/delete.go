package directory

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/deletedid"
	"github.com/letterlock/letterlock/ent/device"
	"github.com/letterlock/letterlock/ent/devicelist"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
)

// Delete deletes a user with all that is held of them, at the word of the user key (S7), and gives who and when. caller gives the
// calling device, which must be one on the user's list; it is not asked when the user is gone already: the same statement again
// gives the same answer. What stays are hashes of the ids, so that neither user nor devices come back.
//
// It fails with STATEMENT_INVALID, LIST_CONFLICT, what caller fails with, STORE_UNAVAILABLE or OUTCOME_UNKNOWN.
func (d *Directory) Delete(
	ctx context.Context, statement []byte, origins []string, caller func(context.Context) (Device, error),
) (user identity.UserID, at time.Time, err error) {
	deletion, err := identity.ParseDeletion(statement)
	if err != nil {
		return user, at, deletionInvalid(err.Error() + ". Correct it and sign it anew")
	}
	if !slices.Contains(origins, deletion.Origin) {
		return user, at, deletionInvalid("it is for another server (S7.2)")
	}
	err = again(func() error {
		var gone bool
		if at, gone, err = deletedAt(ctx, d.db.Ent.DeletedID, deletion.UserID().String()); err != nil || gone {
			return err
		}
		device, err := caller(ctx)
		if err != nil {
			return err
		}
		if device.User != deletion.UserID() {
			return deletionInvalid("it is of another user than the calling device (S7.2)")
		}
		at, err = d.delete(ctx, deletion)
		return err
	})
	return deletion.UserID(), at, err
}

func deletionInvalid(why string) *problem.Error {
	return problem.New(problem.StatementInvalid, "The deletion is refused: "+why+".")
}

// delete commits the deletion, and ends what the devices have open. Where much waits it goes first, in transactions of its own: if a
// later one fails, the user is there with less in their mailboxes.
func (d *Directory) delete(ctx context.Context, deletion identity.Deletion) (at time.Time, err error) {
	var ended []identity.DeviceID
	for more := true; more; {
		if ctx.Err() != nil {
			return at, database.Unavailable("delete a user", context.Cause(ctx))
		}
		err = d.write(ctx, func(ctx context.Context, tx *ent.Tx) (err error) {
			if err := d.lockVersion(ctx, tx, deletion); err != nil {
				return err
			}
			if more, err = d.mailboxes.Drain(ctx, tx, deletion.UserID()); err != nil || more {
				return err
			}
			at = time.UnixMicro(d.options.Now().UnixMicro()).UTC()
			ended, err = d.deleteUser(ctx, tx, deletion.UserID(), at)
			return err
		})
		if err != nil {
			more = false
		}
	}
	if err == nil || errors.Is(err, problem.New(problem.OutcomeUnknown, "")) {
		d.devices.invalidate(ended)
	}
	if err == nil {
		d.mailboxes.Closed(ended...)
	}
	return at, err
}

// lockVersion locks the user's row, if the list that the deletion names is the one that holds.
func (d *Directory) lockVersion(ctx context.Context, tx *ent.Tx, deletion identity.Deletion) error {
	user, err := d.lockUser(ctx, tx, deletion.UserID())
	switch {
	case ent.IsNotFound(err):
		return database.ErrMoved // the same call came first
	case err != nil:
		return err
	case user.ListVersion != deletion.Version:
		return problem.New(problem.ListConflict, fmt.Sprintf("The deletion names version %d of the device list; version %d holds now. "+
			"Fetch the chain with the query user, verify it and sign the deletion anew.", deletion.Version, user.ListVersion))
	}
	return nil
}

// deleteUser deletes the rows of a user whose own row tx has locked. Mailboxes come first, in the order in which others lock them;
// deleting a device would delete its mailbox in any order.
func (d *Directory) deleteUser(ctx context.Context, tx *ent.Tx, id identity.UserID, at time.Time) ([]identity.DeviceID, error) {
	names, err := tx.Device.Query().Where(device.UserID(id.String())).Order(device.ByID()).IDs(ctx)
	if err != nil {
		return nil, err
	}
	devices := make([]identity.DeviceID, len(names))
	for i, name := range names {
		if devices[i], err = identity.ParseDeviceID(name); err != nil {
			return nil, damaged("a device", err)
		}
	}
	if err := d.mailboxes.Delete(ctx, tx, id); err != nil {
		return nil, err
	}
	if err := keepDeleted(ctx, tx, append(names, id.String()), at); err != nil {
		return nil, err
	}
	// Their prekeys go with them, those too that an upload commits while this waits for it.
	if _, err := tx.Device.Delete().Where(device.IDIn(names...)).Exec(ctx); err != nil {
		return nil, err
	}
	if _, err := tx.DeviceList.Delete().Where(devicelist.UserID(id.String())).Exec(ctx); err != nil {
		return nil, err
	}
	return devices, tx.User.DeleteOneID(id.String()).Exec(ctx)
}

// keepDeleted keeps the hashes of ids.
func keepDeleted(ctx context.Context, tx *ent.Tx, ids []string, at time.Time) error {
	rows := make([]*ent.DeletedIDCreate, len(ids))
	for i, id := range ids {
		rows[i] = tx.DeletedID.Create().SetID(deletedName(id)).SetDeletedAt(at.UnixMicro())
	}
	return tx.DeletedID.CreateBulk(rows...).Exec(ctx)
}

// deletedName is what stands for an id that was deleted (S7.4).
func deletedName(id string) string {
	hash := sha256.Sum256([]byte("letterlock/deleted/v1" + id))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// deletedAt tells whether an id was deleted, and when.
func deletedAt(ctx context.Context, ids *ent.DeletedIDClient, id string) (at time.Time, gone bool, err error) {
	row, err := ids.Query().Where(deletedid.ID(deletedName(id))).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return time.Time{}, false, nil
	case err != nil:
		return time.Time{}, false, database.Unavailable("look for what was deleted", err)
	}
	return time.UnixMicro(row.DeletedAt).UTC(), true, nil
}

// refuseDeleted refuses ids that were deleted.
func refuseDeleted(ctx context.Context, tx *ent.Tx, ids []string) error {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = deletedName(id)
	}
	deleted, err := tx.DeletedID.Query().Where(deletedid.IDIn(names...)).Exist(ctx)
	if err == nil && deleted {
		err = deviceDeleted()
	}
	return err
}

func deviceDeleted() *problem.Error {
	return problem.New(problem.DeviceRemoved, "The device's user was deleted, and an id that was deleted never comes back. Make new keys.")
}

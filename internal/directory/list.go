package directory

import (
	"context"
	"slices"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/device"
	"github.com/letterlock/letterlock/ent/predicate"
	"github.com/letterlock/letterlock/ent/prekey"
	"github.com/letterlock/letterlock/ent/user"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
)

// addList stores a version of the user whose row tx has locked or made, the devices that it adds, in order of their ids,
// and the end of those that it removed; then the mailboxes follow.
func (d *Directory) addList(ctx context.Context, tx *ent.Tx, list *identity.DeviceList, added []identity.Entry, removed []identity.DeviceID) error {
	if err := refuseKnown(ctx, tx, added); err != nil {
		return err
	}
	if err := refuseDeleted(ctx, tx, append(texts(idsOf(added)), list.UserID().String())); err != nil {
		return err
	}
	now, owner := d.options.Now().UnixMicro(), list.UserID().String()
	err := tx.DeviceList.Create().SetUserID(owner).SetVersion(list.Version).SetStatement(list.Statement()).
		SetCreatedAt(now).Exec(ctx)
	if err != nil {
		return err
	}
	rows := make([]*ent.DeviceCreate, len(added))
	for i, entry := range added {
		rows[i] = tx.Device.Create().SetID(entry.DeviceID().String()).SetUserID(owner).
			SetSigningKey(slices.Clone(entry.SigningKey[:])).SetCreatedAt(now)
	}
	if err := tx.Device.CreateBulk(rows...).Exec(ctx); err != nil {
		return err
	}
	if len(removed) > 0 {
		if err := removeDevices(ctx, tx, removed, now); err != nil {
			return err
		}
	}
	return d.mailboxes.MoveList(ctx, tx, list.UserID(), list.Version, idsOf(added), removed)
}

// removeDevices ends devices and deletes their prekeys, in this order: an upload that runs now holds the device's row, and
// what it commits must be seen when the prekeys are deleted. One that comes later finds the device removed.
func removeDevices(ctx context.Context, tx *ent.Tx, removed []identity.DeviceID, now int64) error {
	ids := texts(removed)
	if err := tx.Device.Update().Where(device.IDIn(ids...)).SetRemovedAt(now).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.Prekey.Delete().Where(prekey.DeviceIDIn(ids...)).Exec(ctx)
	return err
}

// refuseKnown refuses devices that are registered: a chain adds a device once (S4.4), so they belong to another user.
func refuseKnown(ctx context.Context, tx *ent.Tx, added []identity.Entry) error {
	known, err := tx.Device.Query().Where(device.IDIn(texts(idsOf(added))...)).Exist(ctx)
	if err != nil {
		return err
	}
	if known {
		return problem.New(problem.AlreadyRegistered,
			"A device on the list is registered to another user. Make new keys for it: a device belongs to one user.")
	}
	return nil
}

func texts(ids []identity.DeviceID) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = id.String()
	}
	return all
}

func userWithID(id identity.UserID) predicate.User { return user.ID(id.String()) }

func (d *Directory) postgres() bool { return d.db.Dialect == database.PostgreSQL }

package directory

import (
	"context"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/devicelist"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
)

// User gives the signed lists of a user after version since, oldest first, ListsPerCall at the most; nil if nobody has
// registered the id (S3.6).
func (d *Directory) User(ctx context.Context, id identity.UserID, since uint32) (*User, error) {
	row, err := d.db.Ent.User.Get(ctx, id.String())
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, database.Unavailable("look up a user", err)
	}
	// A version published since the row was read is left for the next call, so that the answer is of one moment.
	lists, err := d.db.Ent.DeviceList.Query().
		Where(devicelist.UserID(row.ID), devicelist.VersionGT(since), devicelist.VersionLTE(row.ListVersion)).
		Order(devicelist.ByVersion()).Limit(ListsPerCall).All(ctx)
	if err != nil {
		return nil, database.Unavailable("read device lists", err)
	}
	user := &User{ID: id, ListVersion: row.ListVersion, Lists: make([]SignedList, len(lists))}
	for i, list := range lists {
		user.Lists[i] = SignedList{list.Version, list.Statement}
	}
	return user, nil
}

// chain gives the whole verified chain of a user, empty if nobody has registered the id. What the store holds is verified
// again: a damaged store must not get a list signed on top of it.
func (d *Directory) chain(ctx context.Context, id identity.UserID) (*identity.Chain, error) {
	select {
	case d.verifying <- struct{}{}:
		defer func() { <-d.verifying }()
	case <-ctx.Done():
		return nil, database.Unavailable("wait to verify a chain", context.Cause(ctx))
	}
	var statements [][]byte
	err := d.db.Ent.DeviceList.Query().Where(devicelist.UserID(id.String())).Order(devicelist.ByVersion()).
		Select(devicelist.FieldStatement).Scan(ctx, &statements)
	if err != nil {
		return nil, database.Unavailable("read device lists", err)
	}
	chain, err := identity.ParseChain(id, statements)
	if err != nil {
		return nil, damaged("a chain of device lists", err)
	}
	return chain, nil
}

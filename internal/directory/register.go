package directory

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/devicelist"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

// maxFirstListSize is the length of the longest version 1, which has one entry (S3.2). Nothing longer is looked at.
const maxFirstListSize = identity.MaxDeviceListSize - (identity.MaxDevices-1)*identity.MaxEntrySize

// Register stores a user with version 1 of the device list, its device and the device's mailbox. The token must be one of
// that device (S6.6). The same key and list again give the same answer, with the list version that holds by then, and need no
// invite.
//
// It fails with BAD_INPUT, STATEMENT_INVALID, UNAUTHENTICATED, ALREADY_REGISTERED, REGISTRATION_CLOSED, INVITE_REQUIRED,
// DEVICE_REMOVED (repeated, after the device was removed), STORE_UNAVAILABLE or OUTCOME_UNKNOWN.
func (d *Directory) Register(
	ctx context.Context, userKey, statement []byte, token, invite string, origins []string,
) (*User, Device, error) {
	first, err := firstList(userKey, statement)
	if err != nil {
		return nil, Device{}, err
	}
	if token == "" {
		return nil, Device{}, problem.New(problem.Unauthenticated, "This needs a token of the device on the list (S6.6).")
	}
	if _, err := d.verifyToken(token, first.Entries[0].SigningKey, first.UserID(), origins); err != nil {
		return nil, Device{}, err
	}
	var user *User
	var device Device
	err = again(func() error {
		return d.write(ctx, func(ctx context.Context, tx *ent.Tx) error {
			var err error
			user, device, err = d.register(ctx, tx, first, invite)
			return err
		})
	})
	if err != nil {
		return nil, Device{}, err
	}
	d.devices.invalidate(nil) // whoever looked before the commit has found nothing
	return user, device, nil
}

// firstList verifies version 1 of the user with this key.
func firstList(userKey, statement []byte) (*identity.DeviceList, error) {
	key, err := identity.ParseSigningPublicKey(userKey)
	switch {
	case errors.Is(err, identity.ErrKeyLength):
		return nil, problem.New(problem.BadInput, "The user key is not 32 bytes.")
	case err != nil:
		return nil, problem.New(problem.StatementInvalid, "The user key is refused: "+err.Error()+". Make a new one.")
	case len(statement) > maxFirstListSize:
		return nil, statementInvalid(identity.ErrListFirst)
	}
	chain := identity.NewChain(identity.NewUserID(key))
	if err := chain.Extend(statement); err != nil {
		if errors.Is(err, identity.ErrConflict) {
			err = identity.ErrListFirst
		}
		return nil, statementInvalid(err)
	}
	return chain.Head(), nil
}

// register stores what is new. It leaves rows that are there already alone, and compares.
func (d *Directory) register(ctx context.Context, tx *ent.Tx, first *identity.DeviceList, invite string) (*User, Device, error) {
	user, err := d.lockUser(ctx, tx, first.UserID())
	switch {
	case ent.IsNotFound(err):
		if err = d.options.Admit(ctx, tx, invite); err == nil {
			user, err = d.addUser(ctx, tx, first)
		}
	case err == nil:
		err = sameFirstList(ctx, tx, first)
	}
	if err != nil {
		return nil, Device{}, err
	}
	row, err := tx.Device.Get(ctx, first.Author.String())
	if err != nil {
		return nil, Device{}, err
	}
	device, err := deviceOf(row, user)
	if err != nil {
		return nil, Device{}, err
	}
	if device.Removed {
		return nil, Device{}, deviceRemoved()
	}
	return &User{first.UserID(), user.ListVersion, []SignedList{{1, first.Statement()}}}, device, nil
}

// lockUser reads a user's row and keeps every other change of the user out until tx ends. On SQLite tx has the only write
// lock already.
func (d *Directory) lockUser(ctx context.Context, tx *ent.Tx, id identity.UserID) (*ent.User, error) {
	query := tx.User.Query().Where(userWithID(id))
	if d.postgres() {
		query = query.ForUpdate()
	}
	return query.Only(ctx)
}

func (d *Directory) addUser(ctx context.Context, tx *ent.Tx, first *identity.DeviceList) (*ent.User, error) {
	id := first.UserID().String()
	user, err := tx.User.Create().SetID(id).SetUserKey(slices.Clone(first.UserKey[:])).SetListVersion(first.Version).
		SetCreatedAt(d.options.Now().UnixMicro()).Save(ctx)
	if err != nil {
		return nil, err
	}
	return user, d.addList(ctx, tx, first, first.Entries, nil)
}

func sameFirstList(ctx context.Context, tx *ent.Tx, first *identity.DeviceList) error {
	stored, err := tx.DeviceList.Query().
		Where(devicelist.UserID(first.UserID().String()), devicelist.Version(1)).Only(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(stored.Statement, first.Statement()) {
		return problem.New(problem.AlreadyRegistered,
			"This user key is registered with another first list. Fetch the chain with the query user, and publish its next version.")
	}
	return nil
}

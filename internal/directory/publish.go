package directory

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
)

// Publish stores the next version of the caller's device list, with the devices and mailboxes that it adds, and ends those
// that it no longer names. The caller is the device that Authenticate gave; it must be on the current list and on the
// new one (S6.6). A version that is stored already gives the same answer, with the list version that holds by then.
//
// It fails with BAD_INPUT (too many devices), STATEMENT_INVALID, LIST_CONFLICT, ALREADY_REGISTERED (a device of another
// user), DEVICE_REMOVED, STORE_UNAVAILABLE or OUTCOME_UNKNOWN.
func (d *Directory) Publish(ctx context.Context, caller Device, statement []byte) (*User, error) {
	end, err := d.publishing.take(ctx, caller.User)
	if err != nil {
		return nil, err
	}
	defer end()
	var user *User
	err = again(func() error {
		chain, err := d.chain(ctx, caller.User)
		if err != nil {
			return err
		}
		user, err = d.publish(ctx, chain, caller.ID, statement)
		return err
	})
	if err != nil {
		return nil, err
	}
	return user, nil
}

// publish extends chain, which is what the store held a moment ago, and stores the step if the store still holds that.
// Signatures are verified before the transaction: it keeps others waiting.
func (d *Directory) publish(ctx context.Context, chain *identity.Chain, caller identity.DeviceID, statement []byte) (*User, error) {
	before := chain.Head()
	if before == nil {
		return nil, deviceDeleted() // since the caller was looked at
	}
	if _, listed := before.Entry(caller); !listed {
		return nil, deviceRemoved()
	}
	if version, stored := storedVersion(chain, statement); stored {
		return &User{chain.User(), chain.Version(), []SignedList{{version, statement}}}, nil
	}
	if err := extend(chain, statement); err != nil {
		return nil, err
	}
	list := chain.Head()
	if err := d.checkList(list, before, caller); err != nil {
		return nil, err
	}
	if err := d.storeList(ctx, list, before); err != nil {
		return nil, err
	}
	return &User{chain.User(), list.Version, []SignedList{{list.Version, list.Statement()}}}, nil
}

// storedVersion finds a statement that the chain holds.
func storedVersion(chain *identity.Chain, statement []byte) (uint32, bool) {
	want := sha256.Sum256(statement)
	for version := chain.Version(); version > 0; version-- {
		if hash, held := chain.Hash(version); held && hash == want {
			return version, true
		}
	}
	return 0, false
}

func extend(chain *identity.Chain, statement []byte) error {
	err := chain.Extend(statement)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, identity.ErrConflict):
		return problem.New(problem.ListConflict, fmt.Sprintf("The list is refused: %s. Version %d holds now. "+
			"Fetch the chain with the query user, verify it and sign the version after it.", err, chain.Version()))
	default:
		return statementInvalid(err)
	}
}

// checkList is what a server asks for beyond the chain. A list that is too long may always get shorter.
func (d *Directory) checkList(list, before *identity.DeviceList, caller identity.DeviceID) error {
	if _, listed := list.Entry(caller); !listed {
		return problem.New(problem.StatementInvalid,
			"The list does not name the calling device (S6.6). Publish it with a device that stays.")
	}
	if count := len(list.Entries); count > d.options.MaxDevices && count > len(before.Entries) {
		return problem.New(problem.BadInput, fmt.Sprintf("The list names %d devices; this server takes %d. Remove some.",
			count, d.options.MaxDevices))
	}
	return nil
}

// storeList commits the step from before to list, unless another one came first. If the outcome is unknown, the devices
// are looked up again here, and open readers of removed ones find it out for themselves.
func (d *Directory) storeList(ctx context.Context, list, before *identity.DeviceList) error {
	added, removed := notOn(before, list.Entries), notOn(list, before.Entries)
	err := d.write(ctx, func(ctx context.Context, tx *ent.Tx) error {
		user, err := d.lockUser(ctx, tx, list.UserID())
		if ent.IsNotFound(err) {
			return deviceDeleted()
		}
		if err != nil {
			return err
		}
		if user.ListVersion != before.Version {
			return database.ErrMoved
		}
		if err := tx.User.UpdateOne(user).SetListVersion(list.Version).Exec(ctx); err != nil {
			return err
		}
		return d.addList(ctx, tx, list, added, idsOf(removed))
	})
	if err == nil || errors.Is(err, problem.New(problem.OutcomeUnknown, "")) {
		d.devices.invalidate(slices.Concat(idsOf(before.Entries), idsOf(added)))
	}
	if err == nil && len(removed) > 0 {
		d.mailboxes.Closed(idsOf(removed)...)
	}
	return err
}

// notOn gives the entries whose devices a list does not name.
func notOn(list *identity.DeviceList, entries []identity.Entry) []identity.Entry {
	var missing []identity.Entry
	for _, entry := range entries {
		if _, listed := list.Entry(entry.DeviceID()); !listed {
			missing = append(missing, entry)
		}
	}
	return missing
}

func idsOf(entries []identity.Entry) []identity.DeviceID {
	ids := make([]identity.DeviceID, len(entries))
	for i, entry := range entries {
		ids[i] = entry.DeviceID()
	}
	return ids
}

func statementInvalid(err error) *problem.Error {
	return problem.New(problem.StatementInvalid, "The device list is refused: "+err.Error()+". Correct it and sign it anew.")
}

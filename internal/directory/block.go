package directory

import (
	"context"
	"fmt"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/user"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

// Block makes these the users from whom the caller's mailbox takes nothing, in place of those before, and gives how many there are:
// ids that nobody has here are left out. It fails with BAD_INPUT, DEVICE_REMOVED, STORE_UNAVAILABLE or OUTCOME_UNKNOWN.
func (d *Directory) Block(ctx context.Context, caller Device, users []identity.UserID) (count int, err error) {
	if len(users) > d.options.MaxBlocked {
		return 0, problem.New(problem.BadInput, fmt.Sprintf("A device may block %d users; these are %d.", d.options.MaxBlocked, len(users)))
	}
	names := make([]string, len(users))
	for i, id := range users {
		if id == caller.User {
			return 0, problem.New(problem.BadInput, "A user cannot block themselves: their devices write to each other.")
		}
		names[i] = id.String()
	}
	err = d.write(ctx, func(ctx context.Context, tx *ent.Tx) error {
		known, err := d.keepUsers(ctx, tx, names)
		if err != nil {
			return err
		}
		count = len(known)
		return d.mailboxes.Block(ctx, tx, caller.ID, known)
	})
	return count, err
}

// keepUsers gives those who are registered, and keeps them from being deleted until tx ends: who is deleted leaves all lists.
func (d *Directory) keepUsers(ctx context.Context, tx *ent.Tx, names []string) ([]identity.UserID, error) {
	query := tx.User.Query().Where(user.IDIn(names...)).Order(user.ByID())
	if d.postgres() {
		query = query.ForShare()
	}
	rows, err := query.IDs(ctx)
	if err != nil {
		return nil, err
	}
	users := make([]identity.UserID, len(rows))
	for i, row := range rows {
		if users[i], err = identity.ParseUserID(row); err != nil {
			return nil, damaged("a user", err)
		}
	}
	return users, nil
}

package directory

import (
	"context"
	"fmt"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
)

// changing is what the operator reads of where the store fails at a change.
const changing = "change a user"

// write runs one transaction.
func (d *Directory) write(ctx context.Context, do func(ctx context.Context, tx *ent.Tx) error) error {
	return d.db.Write(ctx, changing, do)
}

// again runs change until it does not meet another one.
func again(change func() error) error { return database.Again(changing, change) }

// damaged is a row that this program can't have written.
func damaged(what string, cause error) *problem.Error {
	return problem.Wrap(problem.Internal, "The server's store is damaged.", fmt.Errorf("read %s: %w", what, cause))
}

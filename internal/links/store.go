package links

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/internal/problem"
)

const (
	// writeTimeout bounds a transaction.
	writeTimeout = 15 * time.Second
	// retryAfter is when a caller whom the store failed should come again, fullRetryAfter one who found no room.
	retryAfter, fullRetryAfter = time.Second, 10 * time.Second
	// attempts bounds how often a step that met another one is written again. The second time sees what the first met.
	attempts = 3
)

// errMoved: the same step was committed by another call first.
var errMoved = errors.New("another change came first")

// write runs one transaction. It runs on even if its caller goes away, so that its outcome is known here.
func (s *Slots) write(ctx context.Context, do func(ctx context.Context, tx *ent.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	end, err := s.db.WriteTurn(ctx)
	if err != nil {
		return unavailable("begin", err)
	}
	defer end()
	tx, err := s.db.Ent.Tx(ctx)
	if err != nil {
		return unavailable("begin", err)
	}
	if err := do(ctx, tx); err != nil {
		_ = tx.Rollback() // the connection is gone, or will be given up: the cause is in hand
		return asProblem(err)
	}
	if err := tx.Commit(); err != nil {
		unknown := problem.Wrap(problem.OutcomeUnknown,
			"The store may or may not have committed. Repeat the same call: it is stored once.", err)
		unknown.Stored, unknown.RetryAfter = problem.Unknown, retryAfter
		return unknown
	}
	return nil
}

// again runs change until it does not meet another one.
func again(change func() error) error {
	var err error
	for range attempts {
		if err = change(); !errors.Is(err, errMoved) {
			return err
		}
	}
	return unavailable("write into a link slot", err)
}

// asProblem leaves problems as they are. A unique row that is there already was put there by another call.
func asProblem(err error) error {
	var known *problem.Error
	switch {
	case errors.As(err, &known):
		return err
	case ent.IsConstraintError(err):
		return fmt.Errorf("%w: %w", errMoved, err)
	default:
		return unavailable("write into a link slot", err)
	}
}

// unavailable is the failure of the store at a step that only the operator reads of.
func unavailable(step string, cause error) *problem.Error {
	failed := problem.Wrap(problem.StoreUnavailable, "The store did not answer. Nothing was stored. Try again.",
		fmt.Errorf("%s: %w", step, cause))
	failed.RetryAfter = retryAfter
	return failed
}

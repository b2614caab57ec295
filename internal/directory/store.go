package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/internal/problem"
)

const (
	// writeTimeout bounds a transaction. It runs on even if its caller goes away, so that its outcome is known here.
	writeTimeout = 15 * time.Second
	// retryAfter is when a caller whom the store failed should come again.
	retryAfter = time.Second
	// attempts bounds how often a change that met another one is made again. The second time sees what the first met.
	attempts = 3
)

// errMoved: another change of the same rows was committed first. What was found out before is void.
var errMoved = errors.New("another change came first")

// write runs one transaction. An error of do that is no problem.Error is the store's, and nothing is stored.
func (d *Directory) write(ctx context.Context, do func(ctx context.Context, tx *ent.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	end, err := d.db.WriteTurn(ctx)
	if err != nil {
		return unavailable("begin", err)
	}
	defer end()
	tx, err := d.db.Ent.Tx(ctx)
	if err != nil {
		return unavailable("begin", err)
	}
	ended := false
	defer func() {
		if !ended {
			_ = tx.Rollback() // the connection is gone, or will be given up: the cause is in hand
		}
	}()
	if err := do(ctx, tx); err != nil {
		return asProblem(err)
	}
	ended = true
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
	return unavailable("change a user", err)
}

// asProblem leaves problems and errMoved as they are. A unique row that is there already was put there by another change.
func asProblem(err error) error {
	var known *problem.Error
	switch {
	case errors.As(err, &known), errors.Is(err, errMoved):
		return err
	case ent.IsConstraintError(err):
		return fmt.Errorf("%w: %w", errMoved, err)
	default:
		return unavailable("change a user", err)
	}
}

// unavailable is the failure of the store at a step that only the operator reads of.
func unavailable(step string, cause error) *problem.Error {
	failed := problem.Wrap(problem.StoreUnavailable, "The store did not answer. Nothing was stored. Try again.",
		&stepError{step, cause})
	failed.RetryAfter = retryAfter
	return failed
}

// damaged is a row that this program can't have written.
func damaged(what string, cause error) *problem.Error {
	return problem.Wrap(problem.Internal, "The server's store is damaged.", &stepError{"read " + what, cause})
}

// stepError says what was tried.
type stepError struct {
	step  string
	cause error
}

func (e *stepError) Error() string { return e.step + ": " + e.cause.Error() }
func (e *stepError) Unwrap() error { return e.cause }

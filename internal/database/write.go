package database

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

// ErrMoved is what a change fails with if another one of the same rows was committed first. What was found out before is void.
var ErrMoved = errors.New("another change came first")

// Write runs one transaction. A problem of do and ErrMoved it gives as they are. Any other error of do is the store's; the
// operator reads step of it. Either way nothing is stored. For a caller who has gone already nothing is begun.
func (db *DB) Write(ctx context.Context, step string, do func(ctx context.Context, tx *ent.Tx) error) error {
	if ctx.Err() != nil {
		return Unavailable("begin", context.Cause(ctx))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	end, err := db.WriteTurn(ctx)
	if err != nil {
		return Unavailable("begin", err)
	}
	defer end()
	tx, err := db.Ent.Tx(ctx)
	if err != nil {
		return Unavailable("begin", err)
	}
	ended := false
	defer func() {
		if !ended {
			_ = tx.Rollback() // the connection is gone, or will be given up: the cause is in hand
		}
	}()
	if err := do(ctx, tx); err != nil {
		return asProblem(step, err)
	}
	ended = true
	switch err := tx.Commit(); {
	case err == nil:
		return nil
	case NotCommitted(err):
		return Unavailable("commit", err)
	default:
		unknown := problem.Wrap(problem.OutcomeUnknown,
			"The store may or may not have committed. Repeat the same call: it is stored once.", err)
		unknown.Stored, unknown.RetryAfter = problem.Unknown, retryAfter
		return unknown
	}
}

// Again runs change until it does not meet another one.
func Again(step string, change func() error) error {
	var err error
	for range attempts {
		if err = change(); !errors.Is(err, ErrMoved) {
			return err
		}
	}
	return Unavailable(step, err)
}

// Unavailable is the failure of the store at a step that only the operator reads of.
func Unavailable(step string, cause error) *problem.Error {
	failed := problem.Wrap(problem.StoreUnavailable, "The store did not answer. Nothing was stored. Try again.",
		fmt.Errorf("%s: %w", step, cause))
	failed.RetryAfter = retryAfter
	return failed
}

// asProblem leaves problems and ErrMoved as they are. A unique row that is there already was put there by another change.
func asProblem(step string, err error) error {
	var known *problem.Error
	switch {
	case errors.As(err, &known), errors.Is(err, ErrMoved):
		return err
	case isViolation(err):
		return fmt.Errorf("%w: %w", ErrMoved, err)
	default:
		return Unavailable(step, err)
	}
}

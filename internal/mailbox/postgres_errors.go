package mailbox

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/letterlock/letterlock/internal/database"
)

// pgTransient are the SQLSTATE classes and codes that say nothing about what was asked for.
var pgTransient = map[string]bool{
	"08":    true, // connection
	"25":    true, // transaction state: idle too long, or the server has become read-only
	"26":    true, // a prepared statement went away
	"40":    true, // serialization failure, deadlock
	"53":    true, // no memory, disk or connection left
	"57":    true, // shut down, cancelled, statement timeout
	"58":    true, // input or output error
	"55P03": true, // lock timeout
	"0A000": true, // a cached plan that a migration made stale
}

// pgMet is the SQLSTATE class of transactions that have met and could not both go on: serialization failures, deadlocks.
const pgMet = "40"

// pgNoPartition is the SQLSTATE of a row that no partition of sends takes.
const pgNoPartition = "23514"

// failure sorts an error of a transaction on conn. committing says that COMMIT was sent: then only an error after which
// the session goes on shows that nothing was committed. One that ended the session may have come after the commit.
func (s *postgresStore) failure(conn *pgx.Conn, err error, committing bool) error {
	var e *pgconn.PgError
	isPg := errors.As(err, &e)
	lost := conn.IsClosed() || isPg && !database.Survived(e)
	switch {
	case lost && committing:
		return fmt.Errorf("%w: %w", errOutcomeUnknown, err)
	case lost, isPg && (pgTransient[e.Code] || pgTransient[e.Code[:2]]):
		return fmt.Errorf("%w: %w", errTransient, err)
	case isPg && e.Code == pgNoPartition && e.TableName == "sends":
		s.forgetDays()
		return fmt.Errorf("%w: %w", errTransient, err)
	}
	return err
}

// hasMet tells that nothing was committed because another transaction was.
func hasMet(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && database.Survived(e) && e.Code[:2] == pgMet
}

// readError sorts an error of a read outside of a transaction.
func readError(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) && database.Survived(e) && !pgTransient[e.Code] && !pgTransient[e.Code[:2]] {
		return err
	}
	return fmt.Errorf("%w: %w", errTransient, err)
}

package database

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What has failed is told by codes alone: PostgreSQL speaks the language of its operator, in the name of an error's severity too.

// violation is the SQLSTATE class of rows that a unique index, a foreign key or a check refuses.
const violation = "23"

// Survived tells that the session goes on after an error, and with it that whatever ran was rolled back.
func Survived(e *pgconn.PgError) bool { return e.SeverityUnlocalized == "ERROR" }

// NotCommitted tells that an error of COMMIT leaves no doubt: nothing was committed. PostgreSQL says so in a session that goes on. SQLite
// has not committed if its log could not be written: the log's last page is not whole, and nobody will ever read what comes before it as
// committed. Any other error of it, of a sync above all, may have come after that.
func NotCommitted(err error) bool {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		switch e.Code() {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_READONLY:
			return true
		}
		return false
	}
	var e *pgconn.PgError
	return errors.Is(err, pgx.ErrTxCommitRollback) || errors.As(err, &e) && Survived(e)
}

// isViolation tells that a row was refused for what it holds, or for a row that is there.
func isViolation(err error) bool {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		return e.Code()&0xff == sqlite3.SQLITE_CONSTRAINT
	}
	var e *pgconn.PgError
	return errors.As(err, &e) && len(e.Code) == 5 && e.Code[:2] == violation
}

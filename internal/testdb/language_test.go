package testdb_test

import (
	"errors"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

// Operators' PostgreSQL speaks their language. Code that goes by words instead of codes works in English alone.
func TestPostgreSQLSpeaksAnotherLanguageHere(t *testing.T) {
	db := testdb.Open(t, database.PostgreSQL)
	_, err := db.SQL.ExecContext(t.Context(), "SELECT 1/0")
	var failed *pgconn.PgError
	if !errors.As(err, &failed) || failed.SeverityUnlocalized != "ERROR" {
		t.Fatalf("division by zero: %v", err)
	}
	if failed.Severity == "ERROR" && os.Getenv("CI") != "" {
		t.Error("PostgreSQL speaks English: scripts/with-postgres.sh gives it another language where scripts/install-test-tools.sh was run")
	}
}

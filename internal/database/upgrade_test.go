package database_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// filled are the tables with data in them, parents first. What is remembered of sends lies in tables that the server makes itself.
var filled = []string{"users", "device_lists", "devices", "mailboxes", "messages", "prekeys", "link_messages"}

// A store that the release before has filled is migrated at the start, and everything in it is there and works.
func TestUpgradeFromTheVersionBefore(t *testing.T) {
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		t.Run(string(dialect), func(t *testing.T) {
			now := testdb.Open(t, dialect)
			s := testserver.Start(t, testserver.Options{DB: now})
			alice, bob := s.Register(t), s.Register(t)
			a, b := alice.Devices[0], bob.Devices[0]
			check(t, s.Publish(t, bob, b, bob.NewDevice()))
			check(t, s.Query(t, b.Token(s.URL), testserver.UploadPrekeys, map[string]any{"input": b.Prekeys(2)}))
			check(t, s.Send(t, "from before", a, bob.Devices...))
			check(t, s.Query(t, "", `mutation { putLinkMessage(slot: "AAAAAAAAAAAAAAAAAAAAAA", step: 0, data: "AAAA") { expiresAt } }`, nil))
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}

			config := testdb.Config(t, dialect)
			before, err := database.OpenBefore(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			for _, table := range filled {
				copyRows(t, now.SQL, before.SQL, dialect, table)
			}
			if err := before.Close(); err != nil {
				t.Fatal(err)
			}

			after := testdb.OpenConfig(t, config)
			s = testserver.Start(t, testserver.Options{DB: after, Addr: s.Addr})
			var data struct {
				Mailbox struct{ Nodes []struct{ Ciphertext string } }
				User    struct{ ListVersion int }
			}
			query := fmt.Sprintf(`{ mailbox { nodes { ciphertext } } user(id: %q) { listVersion } }`, bob.ID)
			s.Query(t, b.Token(s.URL), query, nil).Into(t, &data)
			if len(data.Mailbox.Nodes) != 1 || data.User.ListVersion != 2 {
				t.Errorf("after the upgrade: %+v", data)
			}
			check(t, s.Send(t, "from after", a, bob.Devices...))
			s.Query(t, b.Token(s.URL), query, nil).Into(t, &data)
			if len(data.Mailbox.Nodes) != 2 {
				t.Errorf("after another message: %+v", data)
			}
			claim := s.Query(t, a.Token(s.URL), testserver.ClaimPrekeys, map[string]any{"userId": bob.ID.String()})
			if check(t, claim); !strings.Contains(claim.Body, b.ID()) {
				t.Errorf("prekeys: %s", claim.Body)
			}
			s.Register(t)
		})
	}
}

func check(t *testing.T, answer *testserver.Answer) {
	t.Helper()
	if len(answer.Errors) > 0 {
		t.Fatalf("%+v", answer.Errors)
	}
}

// copyRows copies the columns that the older table has.
func copyRows(t *testing.T, from, to *sql.DB, dialect database.Dialect, table string) {
	t.Helper()
	columns := columnsOf(t, to, table)
	rows, err := from.QueryContext(t.Context(), "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	places := make([]string, len(columns))
	for i := range places {
		if places[i] = "?"; dialect == database.PostgreSQL {
			places[i] = fmt.Sprint("$", i+1)
		}
	}
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(columns, ", "), strings.Join(places, ", "))
	copied := 0
	for ; rows.Next(); copied++ {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		if _, err := to.ExecContext(t.Context(), insert, values...); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
	if err := rows.Err(); err != nil || copied == 0 {
		t.Fatalf("%d rows of %s were copied: %v", copied, table, err)
	}
	if dialect == database.PostgreSQL {
		goOnCounting(t, to, table)
	}
}

// goOnCounting has PostgreSQL number new rows behind those that brought their numbers.
func goOnCounting(t *testing.T, db *sql.DB, table string) {
	t.Helper()
	var sequence sql.NullString
	if err := db.QueryRowContext(t.Context(), "SELECT pg_get_serial_sequence($1, 'id')", table).Scan(&sequence); err != nil {
		t.Fatal(err)
	}
	if !sequence.Valid {
		return
	}
	if _, err := db.ExecContext(t.Context(), "SELECT setval($1, (SELECT max(id) FROM "+table+"))", sequence.String); err != nil {
		t.Fatal(err)
	}
}

func columnsOf(t *testing.T, db *sql.DB, table string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table+" LIMIT 0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil || rows.Err() != nil {
		t.Fatal(err, rows.Err())
	}
	for i, column := range columns {
		columns[i] = `"` + column + `"`
	}
	return slices.Clip(columns)
}

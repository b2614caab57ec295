package database_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// parentsFirst are the tables, those that others refer to first.
var parentsFirst = []string{
	"stores", "users", "device_lists", "devices", "mailboxes", "messages", "sends", "prekeys", "link_messages", "deleted_ids", "blocks", "invites", "rates",
}

// past is what people have done at a server before it is upgraded.
type past struct {
	dialect database.Dialect
	db      *database.DB
	// url and addr are where the server is, after the upgrade, too. Its clock stands still.
	url, addr string
	clock     func() time.Time
	// Bob has two devices, the first of which blocks Carol. Somebody has deleted themselves.
	alice, bob, carol, gone *testserver.Person
	// first is the variables of Alice's first message to Bob, and answered what the server said. It was acknowledged.
	first    map[string]any
	answered string
	// cursors are those of all that Bob's first device got.
	cursors []string
	invite  string
}

// household is an address that has used up what it may register.
const household = "198.51.100.1"

func newPast(t *testing.T, dialect database.Dialect) *past {
	t.Helper()
	now := time.Now()
	p := &past{dialect: dialect, db: testdb.Open(t, dialect), addr: testserver.FreeAddress(t), clock: func() time.Time { return now }}
	s := p.start(t, p.db, invites.Open)
	p.url = s.URL
	p.alice, p.bob, p.carol, p.gone = s.Register(t), s.Register(t), s.Register(t), testserver.NewPerson(t)
	a, b := p.alice.Devices[0], p.bob.Devices[0]
	check(t, s.Publish(t, p.bob, b, p.bob.NewDevice()))
	check(t, s.Query(t, b.Token(s.URL), testserver.UploadPrekeys, map[string]any{"input": b.Prekeys(2)}))
	p.converse(t, s)
	check(t, s.Query(t, b.Token(s.URL), testserver.SetBlocked, map[string]any{"ids": []any{p.carol.ID.String()}}))
	check(t, registerFrom(t, s, household, p.gone))
	check(t, s.Query(t, p.gone.Devices[0].Token(s.URL), testserver.DeleteUser, map[string]any{"input": p.gone.Deletion(s.URL)}))
	check(t, s.Query(t, a.Token(s.URL), `mutation { putLinkMessage(slot: "AAAAAAAAAAAAAAAAAAAAAA", step: 0, data: "AAAA") { expiresAt } }`, nil))
	code, err := invites.New(p.db, invites.Invite, p.clock).Issue(t.Context(), time.Hour)
	if p.invite = code; err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	return p
}

// converse sends three messages to Bob, whose first device acknowledges the first of them.
func (p *past) converse(t *testing.T, s *testserver.Server) {
	t.Helper()
	a, b := p.alice.Devices[0], p.bob.Devices[0]
	p.first = map[string]any{"input": testserver.Message(t, "first", a, p.bob.Devices...)}
	answer := s.Query(t, a.Token(s.URL), testserver.SendMessage, p.first)
	check(t, answer)
	p.answered = answer.Body
	for range 2 {
		check(t, s.Send(t, "next", a, p.bob.Devices...))
	}
	p.cursors = waiting(t, s, b)
	check(t, s.Query(t, b.Token(s.URL), testserver.Acknowledge, map[string]any{"upTo": p.cursors[0]}))
}

// start starts a server behind a proxy, from one release to the next at the same place.
func (p *past) start(t *testing.T, db *database.DB, registration invites.Registration) *testserver.Server {
	t.Helper()
	return testserver.Start(t, testserver.Options{
		DB: db, Addr: p.addr, Now: p.clock, Registration: registration, TrustedProxies: []string{"127.0.0.1"},
		Limits: func(l *limits.Limits) { l.AddressRegistrationsPerMinute = 1 },
	})
}

// at gives a new store that the release of a version has left, with all of it in the tables that there were.
func (p *past) at(t *testing.T, version int64) (config database.Config, tables []string) {
	t.Helper()
	config = testdb.Config(t, p.dialect)
	older, err := database.OpenAt(t.Context(), config, version)
	if err != nil {
		t.Fatal(err)
	}
	tables = slices.DeleteFunc(testdb.Tables(t, older), func(name string) bool { return name == "goose_db_version" })
	for _, table := range tables {
		if !slices.Contains(parentsFirst, table) {
			t.Fatalf("nothing is known of the table %s: have something put into it, and see that it is there after an upgrade", table)
		}
	}
	// It has an epoch of its own, which no cursor is good for.
	if _, err := older.SQL.ExecContext(t.Context(), `DELETE FROM stores`); err != nil {
		t.Fatal(err)
	}
	for _, table := range parentsFirst {
		if slices.Contains(tables, table) {
			p.copyRows(t, older.SQL, table)
		}
	}
	if err := older.Close(); err != nil {
		t.Fatal(err)
	}
	return config, tables
}

// copyRows copies the columns that the older table has. There is something in each table.
func (p *past) copyRows(t *testing.T, to *sql.DB, table string) {
	t.Helper()
	if table == "sends" && p.dialect == database.PostgreSQL {
		p.makeDays(t, to)
	}
	columns := columnsOf(t, to, table)
	rows, err := p.db.SQL.QueryContext(t.Context(), "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	places := make([]string, len(columns))
	for i := range places {
		if places[i] = "?"; p.dialect == database.PostgreSQL {
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
	if p.dialect == database.PostgreSQL {
		goOnCounting(t, to, table)
	}
}

// makeDays makes partitions as the server does.
func (p *past) makeDays(t *testing.T, to *sql.DB) {
	t.Helper()
	rows, err := p.db.SQL.QueryContext(t.Context(), `SELECT DISTINCT day FROM sends`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var day int
		if err := rows.Scan(&day); err != nil {
			t.Fatal(err)
		}
		if _, err := to.ExecContext(t.Context(), fmt.Sprintf(`CREATE TABLE sends_%[1]d PARTITION OF sends FOR VALUES IN (%[1]d)`, day)); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// goOnCounting has PostgreSQL number new rows behind those that brought their numbers.
func goOnCounting(t *testing.T, db *sql.DB, table string) {
	t.Helper()
	var named bool
	err := db.QueryRowContext(t.Context(), "SELECT count(*) > 0 FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'id'", table).Scan(&named)
	if err != nil {
		t.Fatal(err)
	}
	var sequence sql.NullString
	if named {
		err = db.QueryRowContext(t.Context(), "SELECT pg_get_serial_sequence($1, 'id')", table).Scan(&sequence)
	}
	if err != nil {
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

func check(t *testing.T, answer *testserver.Answer) {
	t.Helper()
	if len(answer.Errors) > 0 {
		t.Fatalf("%+v", answer.Errors)
	}
}

// waiting gives the cursors of what waits for a device.
func waiting(t *testing.T, s *testserver.Server, d *testserver.Device) (cursors []string) {
	t.Helper()
	var data struct {
		Mailbox struct{ Nodes []struct{ Cursor string } }
	}
	s.Query(t, d.Token(s.URL), `{ mailbox { nodes { cursor } } }`, nil).Into(t, &data)
	for _, node := range data.Mailbox.Nodes {
		cursors = append(cursors, node.Cursor)
	}
	return cursors
}

// registerFrom registers a person as the proxy does for an address.
func registerFrom(t *testing.T, s *testserver.Server, address string, p *testserver.Person) *testserver.Answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": testserver.RegisterKey, "variables": map[string]any{"input": p.Registration()}})
	if err != nil {
		t.Fatal(err)
	}
	return s.Post(t, http.Header{
		"Content-Type": {"application/json"}, "X-Forwarded-For": {address}, "Authorization": {"Bearer " + p.Devices[0].Token(s.URL)},
	}, body)
}

package database_test

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

func TestPostgreSQLSettingsHaveDefaultsThatTheURLOverrides(t *testing.T) {
	config := testdb.Config(t, database.PostgreSQL)
	db := testdb.OpenConfig(t, config)
	for name, want := range map[string]string{
		"application_name": "letterlock", "lock_timeout": "5s", "statement_timeout": "10s",
		"idle_in_transaction_session_timeout": "10s", "transaction_isolation": "read committed",
	} {
		if got := setting(t, db, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if db.Pool.Config().MaxConns != 16 {
		t.Errorf("pool of %d", db.Pool.Config().MaxConns)
	}

	config.URL = withQuery(t, config.URL, "statement_timeout=3s&pool_max_conns=3&connect_timeout=2&options=-c%20lock_timeout%3D1s")
	db = testdb.OpenConfig(t, config)
	for name, want := range map[string]string{"lock_timeout": "1s", "statement_timeout": "3s"} {
		if got := setting(t, db, name); got != want {
			t.Errorf("the URL says %s is %s; it is %s", name, want, got)
		}
	}
	if db.Pool.Config().MaxConns != 3 || db.Pool.Config().ConnConfig.ConnectTimeout.Seconds() != 2 {
		t.Errorf("pool: %d connections, connect timeout %s", db.Pool.Config().MaxConns, db.Pool.Config().ConnConfig.ConnectTimeout)
	}
}

func TestEntAndHotPathShareOnePool(t *testing.T) {
	db := testdb.Open(t, database.PostgreSQL)
	tx, err := db.Ent.Tx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if acquired := db.Pool.Stat().AcquiredConns(); acquired != 1 {
		t.Errorf("ent's transaction holds %d connections of the pool", acquired)
	}
}

func TestPasswordIsNeverInAnError(t *testing.T) {
	closed := closedAddress(t)
	for name, databaseURL := range map[string]string{
		"refused":                 "postgres://user:hun-ter2@" + closed + "/db",
		"refused, in the query":   "postgres://" + closed + "/db?user=user&password=hun-ter2",
		"wrong port":              "postgres://user:hun-ter2@localhost:port/db",
		"wrong parameter":         "postgres://user:hun-ter2@localhost/db?connect_timeout=x",
		"wrong pool parameter":    "postgres://user:hun-ter2@localhost/db?pool_max_conns=x",
		"wrong sslmode":           "postgres://user:hun-ter2@localhost/db?sslmode=hun-ter2",
		"slash in the password":   "postgres://user:12/hun-ter2@localhost/db",
		"slash, no port":          "postgres://user:a/hun-ter2@localhost/db",
		"hash in the password":    "postgres://user:12#hun-ter2@localhost/db",
		"question mark in it":     "postgres://user:12?hun-ter2@localhost/db",
		"percent in the password": "postgres://user:%zzhun-ter2@localhost/db",
		"space in the password":   "postgres://user:a hun-ter2@" + closed + "/db",
		"other scheme":            "mysql://user:hun-ter2@localhost/db",
		"key and value":           "host=localhost password=hun-ter2",
	} {
		t.Run(name, func(t *testing.T) {
			db, err := database.Open(t.Context(), database.Config{URL: databaseURL}, discard)
			if err == nil {
				t.Fatalf("opened %s", db.Name)
			}
			if strings.Contains(err.Error(), "ter2") {
				t.Errorf("the password is in %q", err)
			}
			if !strings.Contains(err.Error(), "LETTERLOCK_DATABASE") {
				t.Errorf("nothing says what to change: %q", err)
			}
		})
	}
}

func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

func withQuery(t *testing.T, databaseURL, query string) string {
	t.Helper()
	parsed, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	parsed.RawQuery = query
	return parsed.String()
}

func setting(t *testing.T, db *database.DB, name string) string {
	t.Helper()
	var value string
	if err := db.SQL.QueryRowContext(t.Context(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

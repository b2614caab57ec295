package check_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/check"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/server"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// looking runs the check over a store, with what a test changes.
func looking(t *testing.T, config database.Config, change func(*server.Config)) check.Report {
	t.Helper()
	c := server.Config{Addr: "127.0.0.1:0", Database: config, Limits: limits.Default()}
	c.PublicURLs = []string{"http://localhost:1"}
	if change != nil {
		change(&c)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	return check.Run(t.Context(), c, &http.Client{Transport: transport})
}

// wants checks what was found about one thing.
func wants(t *testing.T, report check.Report, about string, level check.Level, says string) {
	t.Helper()
	for _, f := range report {
		if f.About == about && f.Level == level && strings.Contains(f.Says, says) {
			return
		}
	}
	t.Errorf("nothing %s about %s that says %q in %+v", level, about, says, report)
}

func eachConfig(t *testing.T, test func(t *testing.T, config database.Config)) {
	t.Helper()
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		t.Run(string(dialect), func(t *testing.T) { test(t, testdb.Config(t, dialect)) })
	}
}

func TestBeforeTheFirstStart(t *testing.T) {
	eachConfig(t, func(t *testing.T, config database.Config) {
		if config.DataDir != "" {
			config.DataDir = filepath.Join(config.DataDir, "not", "there")
		}
		report := looking(t, config, nil)
		if report.Failed() {
			t.Errorf("%+v", report)
		}
		wants(t, report, "database", check.OK, "the first start makes it")
		wants(t, report, "public URL", check.Warn, "does not answer")
		if _, err := os.Stat(config.DataDir); config.DataDir != "" && err == nil {
			t.Error("the check has made the data directory")
		}
	})
}

func TestBesideARunningServer(t *testing.T) {
	eachConfig(t, func(t *testing.T, config database.Config) {
		s := testserver.Start(t, testserver.Options{DB: testdb.OpenConfig(t, config)})
		s.Register(t)
		report := looking(t, config, func(c *server.Config) { c.Addr, c.PublicURLs = s.Addr, []string{s.URL} })
		if report.Failed() {
			t.Errorf("%+v", report)
		}
		wants(t, report, "address", check.Warn, "runs already")
		wants(t, report, "database", check.OK, "answers")
		wants(t, report, "writing", check.OK, "taken back")
		wants(t, report, "public URL", check.OK, "answers")
		wants(t, report, "clock", check.OK, "agrees")
		s.Register(t) // the server goes on
	})
}

func TestSchemaVersions(t *testing.T) {
	eachConfig(t, func(t *testing.T, config database.Config) {
		db := testdb.OpenConfig(t, config)
		version := func(statement string) check.Report {
			if _, err := db.SQL.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			return looking(t, config, nil)
		}
		report := version("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
		wants(t, report, "database", check.Fail, "9999")
		report = version("DELETE FROM goose_db_version WHERE version_id > 4")
		wants(t, report, "database", check.Warn, "Make a backup first")
	})
}

func TestWhatIsWrongFails(t *testing.T) {
	t.Run("no PostgreSQL", func(t *testing.T) {
		report := looking(t, database.Config{URL: "postgres://u:hunter2@127.0.0.1:1/x"}, nil)
		wants(t, report, "database", check.Fail, "LETTERLOCK_DATABASE")
		var text strings.Builder
		if err := report.Write(&text); err != nil || strings.Contains(text.String(), "hunter2") || !report.Failed() {
			t.Errorf("%v %s", err, text.String())
		}
	})
	t.Run("no directory", func(t *testing.T) {
		wants(t, looking(t, database.Config{DataDir: "/dev/null/data"}, nil), "database", check.Fail, "LETTERLOCK_DATA_DIR")
	})
	t.Run("no database", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "letterlock.db"), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		wants(t, looking(t, database.Config{DataDir: dir}, nil), "database", check.Fail, "not a database")
	})
	t.Run("settings", func(t *testing.T) {
		report := looking(t, database.Config{DataDir: t.TempDir()}, func(c *server.Config) { c.Limits.MaxSockets = 0 })
		wants(t, report, "settings", check.Fail, "LETTERLOCK_MAX_SOCKETS")
		report = looking(t, database.Config{DataDir: t.TempDir()}, func(c *server.Config) { c.Limits.ClaimsOfPairAtOnce = 1000 })
		wants(t, report, "settings", check.Fail, "LETTERLOCK_CLAIMS_OF_PAIR_AT_ONCE")
	})
	t.Run("open to others", func(t *testing.T) {
		report := looking(t, database.Config{DataDir: t.TempDir()}, func(c *server.Config) { c.Addr, c.PublicURLs = "0.0.0.0:0", nil })
		wants(t, report, "settings", check.Fail, "LETTERLOCK_PUBLIC_URL")
	})
	t.Run("NATS", func(t *testing.T) {
		report := looking(t, database.Config{DataDir: t.TempDir()}, func(c *server.Config) { c.NATS.URL = "nats://u:hunter2@127.0.0.1:1" })
		wants(t, report, "NATS", check.Warn, "127.0.0.1:1")
		if strings.Contains(report[len(report)-1].Says, "hunter2") {
			t.Error("the password is shown")
		}
	})
}

func TestReadOnlyPostgreSQLFails(t *testing.T) {
	config := testdb.Config(t, database.PostgreSQL)
	db := testdb.OpenConfig(t, config)
	if _, err := db.SQL.ExecContext(t.Context(),
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$"); err != nil {
		t.Fatal(err)
	}
	wants(t, looking(t, config, nil), "writing", check.Fail, "SQLSTATE 25006")
}

func TestClocksThatDiffer(t *testing.T) {
	config := testdb.Config(t, database.PostgreSQL)
	ahead := func(d time.Duration) func(*server.Config) {
		return func(c *server.Config) { c.Now = func() time.Time { return time.Now().Add(d) } }
	}
	wants(t, looking(t, config, ahead(20*time.Second)), "clock", check.Warn, "20s")
	wants(t, looking(t, config, ahead(-2*time.Minute)), "clock", check.Fail, "NTP")
}

// A public URL that leads to a server that goes by another name, or to no server of ours.
func TestPublicURLThatLeadsElsewhere(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	config := database.Config{DataDir: t.TempDir()}
	for says, front := range map[string]http.Handler{
		"goes by": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, s.GraphQL, http.StatusTemporaryRedirect)
		}),
		"502":     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }),
		"not one": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }),
	} {
		elsewhere := httptest.NewServer(front)
		level := check.Warn
		if says == "goes by" {
			level = check.Fail
		}
		wants(t, looking(t, config, func(c *server.Config) { c.PublicURLs = []string{elsewhere.URL} }), "public URL", level, says)
		elsewhere.Close()
	}
}

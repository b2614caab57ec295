package database

import (
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// The first version: a parent with children that go when it goes.
const family = `-- +goose Up
CREATE TABLE stores (id bigint NOT NULL PRIMARY KEY, epoch bigint NOT NULL);
CREATE TABLE parents (id integer NOT NULL PRIMARY KEY);
CREATE TABLE children (id integer NOT NULL PRIMARY KEY, parent_id integer NOT NULL REFERENCES parents (id) ON DELETE CASCADE);
INSERT INTO parents VALUES (1), (2);
INSERT INTO children VALUES (10, 1), (11, 1), (20, 2);
`

// What Atlas writes when a table must be rebuilt; its own pragmas do nothing inside goose's transaction.
const rebuild = `-- +goose Up
PRAGMA foreign_keys = off;
CREATE TABLE new_parents (id integer NOT NULL PRIMARY KEY, name text NOT NULL DEFAULT '');
INSERT INTO new_parents (id) SELECT id FROM parents%s;
DROP TABLE parents;
ALTER TABLE new_parents RENAME TO parents;
PRAGMA foreign_keys = on;
`

func TestRebuiltParentKeepsItsChildren(t *testing.T) {
	config := Config{DataDir: t.TempDir()}
	openWith(t, config, map[string]string{"0001_family.sql": family})
	openWith(t, config, map[string]string{"0001_family.sql": family, "0002_rebuild.sql": fmt.Sprintf(rebuild, "")})
	if got := query(t, config, "SELECT count(*) FROM children"); got != 3 {
		t.Errorf("%d of 3 children are left", got)
	}
	if got := query(t, config, "SELECT count(*) FROM parents WHERE name = ''"); got != 2 {
		t.Errorf("%d of 2 parents were rebuilt", got)
	}
}

func TestMigrationThatOrphansRowsIsRolledBack(t *testing.T) {
	config := Config{DataDir: t.TempDir()}
	openWith(t, config, map[string]string{"0001_family.sql": family})
	careless := migrations(map[string]string{"0001_family.sql": family, "0002_careless.sql": fmt.Sprintf(rebuild, " WHERE id = 1")})
	for range 2 { // the second start is no way around the check
		db, err := open(t.Context(), config, slog.New(slog.DiscardHandler), careless)
		if err == nil {
			_ = db.Close()
			t.Fatal("a migration that leaves children without parents went through")
		}
		if !strings.Contains(err.Error(), "1 rows of children") || !strings.Contains(err.Error(), "version 2") {
			t.Errorf("error: %v", err)
		}
	}
	openWith(t, config, map[string]string{"0001_family.sql": family})
	if got := query(t, config, "SELECT count(*) FROM parents"); got != 2 {
		t.Errorf("%d of 2 parents are left", got)
	}
}

func TestMigrationThatFailsLeavesTheVersionBefore(t *testing.T) {
	config := Config{DataDir: t.TempDir()}
	broken := "-- +goose Up\nCREATE TABLE half (id integer);\nINSERT INTO nowhere VALUES (1);\n"
	files := map[string]string{"0001_family.sql": family, "0002_broken.sql": broken}
	if _, err := open(t.Context(), config, slog.New(slog.DiscardHandler), migrations(files)); err == nil {
		t.Fatal("opened")
	}
	files["0002_broken.sql"] = "-- +goose Up\nCREATE TABLE half (id integer);\n"
	openWith(t, config, files)
}

// What the first release has stored is there after all migrations since, with new columns at their beginning.
func TestDataOfTheFirstReleaseIsKept(t *testing.T) {
	first, err := fs.ReadFile(embedded, "sqlite/0001_initial.sql")
	if err != nil {
		t.Fatal(err)
	}
	config := Config{DataDir: t.TempDir()}
	openWith(t, config, map[string]string{"0001_initial.sql": string(first)})
	execute(t, config, `
		INSERT INTO users (id, user_key, list_version, created_at) VALUES ('u1', x'01', 1, 5);
		INSERT INTO device_lists (version, statement, created_at, user_id) VALUES (1, x'02', 5, 'u1');
		INSERT INTO devices (id, signing_key, created_at, user_id) VALUES ('d1', x'03', 5, 'u1');
		INSERT INTO mailboxes (user_id, list_version, device_id, last_number, waiting_count) VALUES ('u1', 1, 'd1', 1, 1);
		INSERT INTO messages (id, message_id, sender_user_id, sender_device_id, sender_list_version, sent_at, expires_at, kind, ciphertext, mailbox_id)
			VALUES (4294967297, 'm', 'u1', 'd1', 1, 5, 9, 1, x'04', 1);`)
	db, err := open(t.Context(), config, slog.New(slog.DiscardHandler), embedded)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for statement, want := range map[string]int{
		"SELECT count(*) FROM messages m JOIN mailboxes b ON m.mailbox_id = b.id WHERE b.device_id = 'd1'": 1,
		"SELECT count(*) FROM device_lists":                                                  1,
		"SELECT count(*) FROM devices WHERE one_time_number = 0 AND kem_one_time_number = 0": 1,
		"SELECT count(*) FROM prekeys":                                                       0,
	} {
		if got := query(t, config, statement); got != want {
			t.Errorf("%s: %d, want %d", statement, got, want)
		}
	}
}

func execute(t *testing.T, config Config, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", sqliteDSN(filepath.Join(config.DataDir, sqliteFile), true))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

func TestMigrationsOfBothDialectsHaveTheSameNames(t *testing.T) {
	var names [2][]string
	for i, dialect := range []Dialect{SQLite, PostgreSQL} {
		matches, err := fs.Glob(embedded, string(dialect)+"/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range matches {
			text, err := fs.ReadFile(embedded, name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "+goose Down") {
				t.Errorf("%s goes down", name)
			}
			names[i] = append(names[i], strings.TrimPrefix(name, string(dialect)+"/"))
		}
	}
	if len(names[0]) == 0 || fmt.Sprint(names[0]) != fmt.Sprint(names[1]) {
		t.Errorf("SQLite has %v, PostgreSQL %v", names[0], names[1])
	}
}

// openWith opens config's SQLite database with files as its migrations, and closes it.
func openWith(t *testing.T, config Config, files map[string]string) {
	t.Helper()
	db, err := open(t.Context(), config, slog.New(slog.DiscardHandler), migrations(files))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func migrations(files map[string]string) fs.FS {
	set := fstest.MapFS{}
	for name, text := range files {
		set["sqlite/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return set
}

func query(t *testing.T, config Config, statement string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", sqliteDSN(filepath.Join(config.DataDir, sqliteFile), true))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(t.Context(), statement).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// operator carries out what docs/operating.md says, with the store that the variables name.
type operator struct {
	t       *testing.T
	dir     string // where the operator is
	store   []string
	address string
}

// does runs the commands that the page has under a heading.
func (o *operator) does(heading string) {
	o.t.Helper()
	page, err := os.ReadFile("docs/operating.md")
	if err != nil {
		o.t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```sh\n# " + regexp.QuoteMeta(heading) + "[^\n]*\n(.*?)```").FindSubmatch(page)
	if found == nil {
		o.t.Fatalf("docs/operating.md does not say how to %s", heading)
	}
	command := exec.CommandContext(o.t.Context(), "sh", "-euc", string(found[1]))
	command.Dir = o.dir
	command.Env = append(os.Environ(), o.store...)
	command.Env = append(command.Env, "PATH="+o.programs()+":"+os.Getenv("PATH"))
	if out, err := command.CombinedOutput(); err != nil {
		o.t.Fatalf("%s: %v\n%s", heading, err, out)
	}
}

// programs is a directory with the server under its name.
func (o *operator) programs() string {
	o.t.Helper()
	dir := filepath.Join(o.dir, "bin")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		o.t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(dir, "letterlock")); err != nil && !errors.Is(err, os.ErrExist) {
		o.t.Fatal(err)
	}
	return dir
}

func (o *operator) serves() *process {
	o.t.Helper()
	return serve(o.t, o.dir, append(slices.Clone(o.store), "LETTERLOCK_ADDR="+o.address)...)
}

// user makes a user in a home of their own, who is registered.
func user(t *testing.T, server string) *client.Client {
	t.Helper()
	c, err := client.Init(t.Context(), client.Options{Home: filepath.Join(t.TempDir(), "home"), Server: server})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func writes(t *testing.T, from, to *client.Client, text string) {
	t.Helper()
	if _, err := from.Send(t.Context(), to.UserID(), text); err != nil {
		t.Fatalf("send %q: %v", text, err)
	}
}

func reads(t *testing.T, c *client.Client, want ...string) {
	t.Helper()
	var got []string
	err := c.Inbox(t.Context(), func(_ context.Context, n client.Notice) error {
		if n.Message != nil {
			got = append(got, n.Message.Text)
		}
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("read %q, %v; want %q", got, err, want)
	}
}

// What docs/operating.md says of backups is done, beside a server that works, and what comes of it is what it says: nothing is
// delivered twice, what the backup has is delivered, and everybody goes on, also who came after it.
func TestBackupAndRestore(t *testing.T) {
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		t.Run(string(dialect), func(t *testing.T) {
			o := &operator{t: t, dir: t.TempDir(), address: testserver.FreeAddress(t)}
			name := "SQLite"
			if dialect == database.SQLite {
				o.store = []string{"LETTERLOCK_DATA_DIR=" + filepath.Join(o.dir, "data")}
			} else {
				name = "PostgreSQL"
				o.store = []string{"LETTERLOCK_DATABASE=" + testdb.Config(t, dialect).URL}
			}
			p := o.serves()
			alice, bob := user(t, p.url), user(t, p.url)
			writes(t, alice, bob, "read before")
			reads(t, bob, "read before")
			writes(t, alice, bob, "in the backup, read before the restore")
			writes(t, bob, alice, "in the backup, not read")
			o.does("backup, " + name)
			reads(t, bob, "in the backup, read before the restore")
			writes(t, alice, bob, "after the backup, read")
			reads(t, bob, "after the backup, read")
			writes(t, alice, bob, "after the backup, lost")
			carol := user(t, p.url)
			p.stop(t, os.Interrupt)

			if dialect == database.PostgreSQL {
				o.store = []string{"LETTERLOCK_DATABASE=" + testdb.Config(t, dialect).URL}
			}
			o.does("restore, " + name)
			p = o.serves()
			defer p.stop(t, os.Interrupt)
			reads(t, bob)
			reads(t, alice, "in the backup, not read")
			writes(t, alice, bob, "after the restore")
			reads(t, bob, "after the restore")
			writes(t, carol, bob, "I came after the backup")
			reads(t, bob, "I came after the backup")
			reads(t, alice)
		})
	}
}

// A backup overwrites nothing, is for its owner alone, and says what is wrong.
func TestBackupIsCareful(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir).stop(t, os.Interrupt)
	backup := func(arguments ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), program, append([]string{"backup"}, arguments...)...).CombinedOutput()
		return string(out), err
	}
	file := filepath.Join(dir, "backup.db")
	if out, err := backup(file, "--data-dir", dir); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
		t.Errorf("%+v %v", info, err)
	}
	for want, arguments := range map[string][]string{
		"is there already":    {file, "--data-dir", dir},
		"LETTERLOCK_DATA_DIR": {filepath.Join(dir, "other.db"), "--data-dir", filepath.Join(dir, "none")},
		"no such file":        {filepath.Join(dir, "none", "other.db"), "--data-dir", dir},
		"pg_dump":             {filepath.Join(dir, "other.db"), "--database", "postgres://localhost/x"},
	} {
		if out, err := backup(arguments...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%q: %v %s", arguments, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "other.db")); err == nil {
		t.Error("a backup that failed has left something")
	}
}

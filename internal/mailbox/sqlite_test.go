package mailbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

// A transaction that fails in the middle lets go of the write lock and of the files, however often that happens.
func TestWritePath_SQLiteLetsGoOfWhatFailed(t *testing.T) {
	db := testdb.Open(t, database.SQLite)
	w := newWorld(t, db)
	alice, bob := w.user(1), w.user(1)
	w.fill(alice, bob, 1)
	before := openFiles(t, db.Path)
	w.execute(`CREATE TRIGGER broken BEFORE INSERT ON sends BEGIN SELECT raise(ABORT, 'broken'); END`)
	const failures = 5
	for range failures {
		_, err := w.Send(w.ctx, w.letter(alice, "x", bob))
		refused(t, err, problem.Internal)
	}
	w.execute(`DROP TRIGGER broken`) // takes the write lock
	w.fill(alice, bob, 1)
	equal(t, "numbers", numbers(w.waiting(bob.devices[0])), upTo(2))
	if after := openFiles(t, db.Path); after >= before+failures {
		t.Errorf("after %d failures %d files of the database are open, before %d", failures, after, before)
	}
}

func (w *world) execute(statement string) {
	w.t.Helper()
	if _, err := w.db.SQL.ExecContext(w.ctx, statement); err != nil {
		w.t.Fatal(err)
	}
}

// openFiles counts how often this process has the write-ahead log of a database open; 0 where the system does not tell.
func openFiles(t *testing.T, path string) (n int) {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if file, err := os.Readlink(link); err == nil && strings.HasPrefix(file, path+"-wal") {
			n++
		}
	}
	return n
}

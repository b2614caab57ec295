// Package store keeps a device's records in one encrypted SQLite file, for several processes at once.
//
// A home directory (0700) holds
//
//	key          the store key, or the store key wrapped under a passphrase (0600)
//	letter.db    the records (0600), with SQLite's -wal and -shm beside it
//
// Each record is sealed by itself with XChaCha20-Poly1305 under a key derived from the store key, bound to its place. The
// file shows how many records there are, how many share a collection, in which order those were made, their lengths (padded
// as messages are) and which ones a step writes together; no id, name, time or text. Who can write the file can bring back an
// older version of it, or of one record: that is not noticed here.
//
// What is overwritten or deleted is gone from the file within a second of the last change, and when the store is closed: pages
// are wiped (secure_delete), and the write-ahead log, which holds older ones, is written back and cut to nothing (R7).
// What a disk or a file system keeps of its own is out of reach.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/internal/vault"
)

// Errors of opening a store.
var (
	// ErrNotFound: there is no store in this home.
	ErrNotFound = errors.New("there is no Letterlock store here")
	// ErrNewer: the store was written by a newer release.
	ErrNewer = vault.ErrNewer
	// ErrOtherKey: key file and store do not belong together, or the store is damaged.
	ErrOtherKey = errors.New("the key file does not open this store: one of them is of another home, or damaged")
	// ErrDamaged: a record does not open. Somebody changed the file, or the disk did.
	ErrDamaged = vault.ErrDamaged
	// ErrBusy: another process has held the store for too long.
	ErrBusy = errors.New("another process holds the store; try again")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
)

const (
	dataFile      = "letter.db"
	schemaVersion = 1
	// busyTimeout is how long a step waits for another process's step, which takes milliseconds.
	busyTimeout = 15 * time.Second
)

// Store is an open store. Its methods may be called by several goroutines.
type Store struct {
	db     *sql.DB
	cipher *vault.Cipher
	scrub  *scrubber

	mutex   sync.Mutex
	closed  bool
	running sync.WaitGroup // steps; none begins once closed is set
}

// Create makes the store of a home, or completes one that was only half made: the directory, the key file (wrapped if
// there is a passphrase), the empty database. If there is a store it is opened.
func Create(ctx context.Context, home string, passphrase []byte) (s *Store, err error) {
	if err := makeHome(home); err != nil {
		return nil, err
	}
	unlock, ok, err := Lock(home, "create")
	if err != nil || !ok {
		return nil, errors.Join(err, ErrBusy)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if _, err := os.Stat(filepath.Join(home, keyFile)); errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(home, dataFile)); err == nil {
			return nil, fmt.Errorf("%w: the key file %q is missing", ErrOtherKey, filepath.Join(home, keyFile))
		}
		if err := createKey(home, passphrase); err != nil {
			return nil, err
		}
	}
	if passphrase != nil {
		// A home that a crash left half made must not pass for a locked one.
		if record, err := readKeyFile(filepath.Join(home, keyFile)); err != nil || !record.Locked() {
			return nil, cmp.Or(err, ErrNoPassphrase)
		}
	}
	return open(ctx, home, func() ([]byte, error) { return passphrase, nil })
}

// Open opens the store of a home. passphrase is called if the key file asks for one; it may be nil.
func Open(ctx context.Context, home string, passphrase func() ([]byte, error)) (*Store, error) {
	for _, name := range []string{keyFile, dataFile} {
		if _, err := os.Stat(filepath.Join(home, name)); err != nil {
			return nil, errors.Join(ErrNotFound, err)
		}
	}
	if err := checkHome(home); err != nil {
		return nil, err
	}
	return open(ctx, home, passphrase)
}

func open(ctx context.Context, home string, passphrase func() ([]byte, error)) (*Store, error) {
	key, err := readKey(home, passphrase)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	cipher, err := vault.NewCipher(key)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(home, dataFile)
	if err := makePrivateFile(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{db: db, cipher: cipher, scrub: newScrubber(db)}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func dsn(path string) string {
	pragmas := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "secure_delete(1)", "foreign_keys(1)",
	}}
	absolute, err := filepath.Abs(path)
	if err != nil {
		absolute = path
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: pragmas.Encode()}).String()
}

// prepare makes the table of a new store, and makes sure that the key is the one the store was made with.
func (s *Store) prepare(ctx context.Context) error {
	return s.transact(ctx, "BEGIN IMMEDIATE", func(conn *sql.Conn) error {
		var version int
		if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		switch {
		case version > schemaVersion:
			return ErrNewer
		case version == schemaVersion:
			return s.checkKey(ctx, conn)
		}
		_, err := conn.ExecContext(ctx, fmt.Sprintf(`
			CREATE TABLE records (
				scope  BLOB    NOT NULL, -- a keyed hash of collection and owner
				number INTEGER NOT NULL,
				value  BLOB    NOT NULL, -- sealed
				PRIMARY KEY (scope, number)
			) STRICT, WITHOUT ROWID;
			PRAGMA user_version = %d`, schemaVersion))
		if err != nil {
			return err
		}
		return s.put(ctx, conn, device.Write{Key: checkRecord, Value: []byte("letterlock")})
	})
}

// checkRecord is written when the store is made, to tell a wrong key from a damaged record.
var checkRecord = device.Key{Collection: "store"}

func (s *Store) checkKey(ctx context.Context, conn *sql.Conn) error {
	value, err := (&records{ctx, conn, s.cipher}).Get(checkRecord)
	if errors.Is(err, ErrDamaged) || err == nil && string(value) != "letterlock" {
		return ErrOtherKey
	}
	return err
}

// Update runs a step in a transaction of its own, which no other process's step overlaps, and makes its writes durable.
// An error leaves everything as it was.
func (s *Store) Update(ctx context.Context, step func(device.Records) ([]device.Write, error)) error {
	return s.transact(ctx, "BEGIN IMMEDIATE", func(conn *sql.Conn) error {
		writes, err := step(&records{ctx, conn, s.cipher})
		if err != nil {
			return err
		}
		for _, write := range writes {
			if err := s.put(ctx, conn, write); err != nil {
				return err
			}
		}
		if len(writes) > 0 {
			s.scrub.soon()
		}
		return nil
	})
}

// View reads without writing, and waits for nobody.
func (s *Store) View(ctx context.Context, read func(device.Records) error) error {
	return s.transact(ctx, "BEGIN", func(conn *sql.Conn) error { return read(&records{ctx, conn, s.cipher}) })
}

// Close waits for what is under way, closes the file and forgets the keys. A step that lost them in its midst would look for records
// where none are, and commit what it writes there.
func (s *Store) Close() error {
	s.mutex.Lock()
	s.closed = true
	s.mutex.Unlock()
	s.running.Wait()
	s.scrub.stop()
	s.cipher.Erase()
	return s.db.Close()
}

// enter says whether a step may begin; then Close waits until leave is called.
func (s *Store) enter() (leave func(), ok bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		return nil, false
	}
	s.running.Add(1)
	return s.running.Done, true
}

func (s *Store) transact(ctx context.Context, begin string, do func(*sql.Conn) error) (err error) {
	leave, ok := s.enter()
	if !ok {
		return ErrClosed
	}
	defer leave()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return readable(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// A caller who gives up while the commit is under way still learns what became of it.
	end := context.WithoutCancel(ctx)
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		_, _ = conn.ExecContext(end, "ROLLBACK") // One who gives up just now may be told so of what has begun.
		return readable(err)
	}
	if err := do(conn); err != nil {
		_, rollbackErr := conn.ExecContext(end, "ROLLBACK")
		return errors.Join(readable(err), rollbackErr)
	}
	if _, err := conn.ExecContext(end, "COMMIT"); err != nil {
		_, _ = conn.ExecContext(end, "ROLLBACK") // If the commit has ended the transaction, there is nothing to roll back.
		return readable(err)
	}
	return nil
}

// readable names what a user can do something about.
func readable(err error) error {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return err
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%w (%w)", ErrBusy, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk is full: %w", err)
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	default:
		return fmt.Errorf("store: %w", err)
	}
}

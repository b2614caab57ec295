package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/letterlock/letterlock/internal/testport"
)

// Postgres is a PostgreSQL of a run's own.
type Postgres struct {
	Address string

	dir     string
	space   *Space   // where it runs; nil for where this program does
	options []string // besides those that it needs
	owner   *user.User
	log     *logbook
	command *exec.Cmd
	ended   chan struct{}
}

const superuser = "letterlock"

// NewPostgres makes one whose programs are on the PATH, and starts it. It writes through to the disk, as a real one does.
func NewPostgres(ctx context.Context) (*Postgres, error) {
	return newPostgres(ctx, nil)
}

// NewPostgresIn makes one with two disks in a Space: see TablesDisk and LogDisk. Its log comes in pieces of a megabyte, and few are kept
// in store, so that it soon needs room.
func NewPostgresIn(ctx context.Context, s *Space) (*Postgres, error) {
	return newPostgres(ctx, s)
}

func newPostgres(ctx context.Context, s *Space) (_ *Postgres, err error) {
	address, err := testport.Free(ctx)
	if err != nil {
		return nil, err
	}
	p := &Postgres{Address: address, space: s, log: newLogbook()}
	if p.dir, err = os.MkdirTemp("", "letterlock-soak-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if err := p.disown(); err != nil {
		return nil, err
	}
	if err := p.init(ctx); err != nil {
		return nil, err
	}
	return p, p.Start(ctx)
}

// init makes the files.
func (p *Postgres) init(ctx context.Context) error {
	arguments := []string{"-D", p.data(), "-U", superuser, "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"}
	if p.space != nil {
		for _, disk := range []string{p.TablesDisk(), p.LogDisk()} {
			if err := errors.Join(os.Mkdir(disk, 0o700), p.space.Mount(ctx, disk)); err != nil {
				return err
			}
		}
		arguments = append(arguments, "-X", p.LogDisk(), "--wal-segsize=1")
		p.options = []string{"-c", "min_wal_size=2MB", "-c", "max_wal_size=64MB"}
	}
	initdb, err := p.program(ctx, "initdb", arguments...)
	if err != nil {
		return err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// disown finds somebody else to run PostgreSQL as, if this is root: it refuses to run as root.
func (p *Postgres) disown() (err error) {
	if os.Geteuid() != 0 && p.space == nil {
		return nil
	}
	if p.owner, err = user.Lookup("postgres"); err != nil {
		p.owner, err = user.Lookup("nobody")
	}
	if err != nil || p.space != nil { // who is root in a Space owns its disks by any name
		return err
	}
	uid, uidErr := strconv.Atoi(p.owner.Uid)
	gid, gidErr := strconv.Atoi(p.owner.Gid)
	return errors.Join(uidErr, gidErr, os.Chown(p.dir, uid, gid))
}

// program is one of PostgreSQL's, to be run by who owns the files.
func (p *Postgres) program(ctx context.Context, name string, arguments ...string) (*exec.Cmd, error) {
	if p.space != nil {
		as := []string{"-U", "--map-user=" + p.owner.Uid, "--map-group=" + p.owner.Gid, "--", name}
		return p.space.Command(ctx, "unshare", append(as, arguments...)...), nil
	}
	command := exec.CommandContext(ctx, name, arguments...) // #nosec G204 -- no argument comes from outside
	command.Dir = p.dir
	if p.owner == nil {
		return command, nil
	}
	uid, uidErr := strconv.ParseUint(p.owner.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(p.owner.Gid, 10, 32)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return command, errors.Join(uidErr, gidErr)
}

// TablesDisk is the directory of the disk with the tables, where PostgreSQL has a Space. Without room there it refuses what needs some.
func (p *Postgres) TablesDisk() string { return filepath.Join(p.dir, "tables") }

// LogDisk is the directory of the disk with the write-ahead log, where PostgreSQL has a Space. Without room there it ends itself, and
// cannot start.
func (p *Postgres) LogDisk() string { return filepath.Join(p.dir, "log") }

func (p *Postgres) data() string { return filepath.Join(p.TablesDisk(), "data") }

// Start starts it and waits until it takes connections.
func (p *Postgres) Start(ctx context.Context) error {
	host, port, err := net.SplitHostPort(p.Address)
	if err != nil {
		return err
	}
	lasting := context.WithoutCancel(ctx) // it is ended by Crash and Close
	p.command, err = p.program(lasting, "postgres", slices.Concat([]string{
		"-D", p.data(), "-p", port, "-c", "listen_addresses=" + host, "-c", "unix_socket_directories=", "-c", "max_connections=200",
	}, p.options)...)
	if err != nil {
		return err
	}
	p.command.Stdout, p.command.Stderr = p.log, p.log
	if err := p.command.Start(); err != nil {
		return err
	}
	ended, command := make(chan struct{}), p.command
	p.ended = ended
	go func() {
		defer close(ended)
		_ = command.Wait() // it has a status of its own when it is told to end
	}()
	return p.awaitReady(ctx)
}

func (p *Postgres) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ready)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, p.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if p.hasEnded() {
			return fmt.Errorf("PostgreSQL ended while it started:\n%s", p.log)
		}
		if !pause(ctx, 10*time.Millisecond) {
			return fmt.Errorf("PostgreSQL did not get ready: %w\n%s", err, p.log)
		}
	}
}

func (p *Postgres) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Host: p.Address, Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// MaintenanceURL is where databases are made.
func (p *Postgres) MaintenanceURL() string { return p.url("postgres") }

// ReadOnly has it refuse whatever writes, as a standby does, until it is told otherwise.
func (p *Postgres) ReadOnly(ctx context.Context, on bool) (err error) {
	conn, err := pgx.Connect(ctx, p.MaintenanceURL())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	statement := "ALTER SYSTEM RESET default_transaction_read_only"
	if on {
		statement = "ALTER SYSTEM SET default_transaction_read_only = on"
	}
	if _, err := conn.Exec(ctx, statement); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SELECT pg_reload_conf()")
	return err
}

// Revive starts it if it has ended, and waits until it takes connections.
func (p *Postgres) Revive(ctx context.Context) error {
	if p.hasEnded() {
		return p.Start(ctx)
	}
	err := p.awaitReady(ctx)
	if err != nil && p.hasEnded() { // it was about to
		return p.Start(ctx)
	}
	return err
}

func (p *Postgres) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Crash ends it as if all its processes were killed at once: what was not committed is gone, and the next start recovers.
func (p *Postgres) Crash() error { return p.end(syscall.SIGQUIT) }

// Close ends it and deletes its data.
func (p *Postgres) Close() error {
	var err error
	if p.command != nil {
		err = p.end(syscall.SIGINT)
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

func (p *Postgres) end(signal syscall.Signal) error {
	if p.hasEnded() {
		return nil
	}
	if err := p.command.Process.Signal(signal); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(ready):
		return errors.Join(fmt.Errorf("PostgreSQL did not end by %v", signal), p.command.Process.Kill())
	}
}

// pause tells whether ctx still holds.
func pause(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

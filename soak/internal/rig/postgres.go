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
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres is a PostgreSQL of a run's own.
type Postgres struct {
	Address string

	dir     string
	owner   *syscall.SysProcAttr
	log     *tail
	command *exec.Cmd
	ended   chan struct{}
}

const superuser = "letterlock"

// NewPostgres makes one whose programs are on the PATH, and starts it. It writes through to the disk, as a real one does.
func NewPostgres(ctx context.Context) (_ *Postgres, err error) {
	address, err := FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	p := &Postgres{Address: address, log: new(tail)}
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
	initdb := exec.CommandContext(ctx, "initdb", "-D", p.data(), "-U", superuser, "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync") //nolint:gosec // no argument comes from outside
	initdb.SysProcAttr, initdb.Dir = p.owner, p.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return p, p.Start(ctx)
}

// disown has PostgreSQL run as somebody else, if this is root: it refuses to run as root.
func (p *Postgres) disown() error {
	if os.Geteuid() != 0 {
		return nil
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		owner, err = user.Lookup("nobody")
	}
	if err != nil {
		return err
	}
	uid, uidErr := strconv.ParseUint(owner.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(owner.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return err
	}
	p.owner = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return os.Chown(p.dir, int(uid), int(gid)) // #nosec G115 -- from a 32-bit number
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// Start starts it and waits until it takes connections.
func (p *Postgres) Start(ctx context.Context) error {
	host, port, err := net.SplitHostPort(p.Address)
	if err != nil {
		return err
	}
	p.command = exec.Command("postgres", "-D", p.data(), "-p", port, "-c", "listen_addresses="+host, "-c", "unix_socket_directories=", //nolint:noctx,gosec // it is ended by Crash and Close; no argument comes from outside
		"-c", "max_connections=200")
	p.command.SysProcAttr, p.command.Dir = p.owner, p.dir
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
		select {
		case <-p.ended:
			return fmt.Errorf("PostgreSQL ended while it started:\n%s", p.log)
		default:
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
	select {
	case <-p.ended:
		return nil
	default:
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

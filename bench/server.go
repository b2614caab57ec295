package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/letterlock/letterlock/internal/load"
)

// server is a process that was started for a run, or one that ran before.
type server struct {
	*load.Node
	address string    // host:port; empty for one that ran before
	metrics string    // address of /metrics and pprof, where there are any
	cmd     *exec.Cmd // nil for one that ran before
}

// roomy are limits that no scenario meets whose mailboxes grow long.
func roomy() []string {
	return []string{"LETTERLOCK_MAILBOX_MAX_MESSAGES=100000000", "LETTERLOCK_MAILBOX_MAX_MESSAGES_PER_SENDER=100000000", "LETTERLOCK_MAILBOX_MAX_BYTES=1099511627776"}
}

// startServer starts the binary over a store on a free loopback port and waits until it is ready. With --server it gives that one.
func (b *bench) startServer(ctx context.Context, binary string, s *store, env ...string) (*server, error) {
	if b.Server != "" {
		node, err := load.NewNode(b.Server)
		return &server{Node: node}, err
	}
	started, err := launch(ctx, binary, s, env...)
	if err != nil {
		return nil, err
	}
	if err := waitUntil(ctx, 30*time.Second, started.ready); err != nil {
		return nil, errors.Join(fmt.Errorf("the server at %s did not get ready: %w", started.URL, err), started.stop())
	}
	return started, nil
}

// launch starts the binary and does not wait.
func launch(ctx context.Context, binary string, s *store, env ...string) (*server, error) {
	free, err := freeAddresses(ctx, 2)
	if err != nil {
		return nil, err
	}
	return launchAt(binary, s, free[0], free[1], env...)
}

// launchAt is launch at addresses that are known to be free.
func launchAt(binary string, s *store, address, metrics string, env ...string) (*server, error) {
	node, err := load.NewNode("http://" + address)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary) //nolint:noctx // it is stopped by stop
	cmd.Env = append(os.Environ(), "LETTERLOCK_ADDR="+address, "LETTERLOCK_METRICS_ADDR="+metrics, "LETTERLOCK_DATA_DIR="+s.dir,
		"LETTERLOCK_DATABASE="+s.database, "LETTERLOCK_LOG_LEVEL=warn",
		"LETTERLOCK_DEVICE_OPERATIONS_PER_MINUTE=1000000000") // It is counted, and never too much: one device plays for many here.
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &server{Node: node, address: address, metrics: metrics, cmd: cmd}, nil
}

// freeAddresses gives n of loopback, no two the same: each is held until all are found.
func freeAddresses(ctx context.Context, n int) ([]string, error) {
	var found []string
	for range n {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		found = append(found, l.Addr().String())
	}
	return found, nil
}

func waitUntil(ctx context.Context, patience time.Duration, done func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *server) ready(ctx context.Context) bool {
	return s.Query(ctx, nil, `{ server { version } }`, nil, nil) == nil
}

// process gives the server's; it has none here if it ran before.
func (s *server) process() []process {
	if s.cmd == nil {
		return nil
	}
	return []process{process(s.cmd.Process.Pid)}
}

// kill ends the process at once, as a crash does.
func (s *server) kill() error {
	s.Close()
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = s.cmd.Wait() // it says that it was killed
	return nil
}

// listens reports whether the process takes connections.
func (s *server) listens(ctx context.Context) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.address)
	return err == nil && conn.Close() == nil
}

// stop ends the process in order; a second call does nothing.
func (s *server) stop() error {
	s.Close()
	if s.cmd == nil || s.cmd.ProcessState != nil {
		return nil
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	kill := time.AfterFunc(time.Minute, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server ended badly: %w", err)
	}
	return nil
}

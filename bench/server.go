package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// server is a process started for one run.
type server struct {
	url   string
	dir   string
	cmd   *exec.Cmd
	ended time.Duration // CPU time, known once it has ended
}

// startServer starts the binary on a free loopback port and waits until it is ready.
func startServer(ctx context.Context, binary, database string) (*server, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "letterlock-bench-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary) //nolint:noctx // it is stopped by stop
	cmd.Env = append(os.Environ(), "LETTERLOCK_ADDR="+address, "LETTERLOCK_DATA_DIR="+dir, "LETTERLOCK_DATABASE="+database, "LETTERLOCK_LOG_LEVEL=warn")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &server{url: "http://" + address, dir: dir, cmd: cmd}
	if err := s.waitReady(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.ready(ctx) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the server at %s did not get ready", s.url)
		}
	}
}

func (s *server) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// cpu ends the server and gives the CPU time that it took in all.
func (s *server) cpu() time.Duration {
	s.stop()
	return s.ended
}

// stop ends the process and removes its directory; a second call does nothing.
func (s *server) stop() {
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	s.ended = s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
	_ = os.RemoveAll(s.dir)
}

package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Memory gives what the process holds now, and the most it has held, in bytes. It may be called beside everything else.
func (n *Node) Memory() (now, peak int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.id.Load()))
	if err != nil {
		return 0, 0
	}
	return statusLine(text, "VmRSS:"), statusLine(text, "VmHWM:")
}

func statusLine(text []byte, name string) int64 {
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			kibibytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kibibytes << 10
		}
	}
	return 0
}

// CPU gives how long the process's threads have worked so far.
func (n *Node) CPU() (sum time.Duration, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", n.id.Load()))
	if err != nil || len(files) == 0 {
		return 0, errors.Join(err, errors.New("the system does not tell how long a process has worked"))
	}
	for _, file := range files {
		text, err := os.ReadFile(file) // #nosec G304 -- the system's
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has ended
		}
		worked, _, _ := strings.Cut(string(text), " ")
		nanoseconds, parseErr := strconv.ParseInt(worked, 10, 64)
		if err := errors.Join(err, parseErr); err != nil {
			return 0, err
		}
		sum += time.Duration(nanoseconds)
	}
	return sum, nil
}

// What a server says of itself.
const (
	Goroutines = "go_goroutines"
	OpenFiles  = "process_open_fds"
	// SocketsOpening is how many sockets are worked on to open them.
	SocketsOpening = "letterlock_sockets_opening"
)

// Gauge gives what the process says of itself.
func (n *Node) Gauge(ctx context.Context, name string) (int, error) {
	value, err := n.ask(ctx, "/metrics", name+" ")
	return int(value), err
}

// LiveHeap gives how many bytes live in the process's heap. It has it collect garbage twice: what pools keep goes with the second time.
func (n *Node) LiveHeap(ctx context.Context) (live int64, err error) {
	for range 2 {
		if live, err = n.ask(ctx, "/debug/pprof/heap?gc=1&debug=1", "# HeapAlloc = "); err != nil {
			return 0, err
		}
	}
	return live, nil
}

// ask gives the number behind some words that begin a line.
func (n *Node) ask(ctx context.Context, path, words string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.metrics+path, nil)
	if err != nil {
		return 0, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), words); ok {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, errors.New("the server does not tell its " + words)
}

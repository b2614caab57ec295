package cluster_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// node is one node: a process that is started again after its end, at another address.
type node struct {
	t   testing.TB
	env []string

	command *exec.Cmd
	ended   chan struct{} // closed when all its log was read

	mu      sync.Mutex
	address string // of the process that runs; empty while there is none
	log     []byte
}

// start starts the process and waits until it serves.
func (n *node) start() {
	n.t.Helper()
	n.command = exec.CommandContext(context.WithoutCancel(n.t.Context()), program) // cleanups end it
	n.command.Env = n.env
	stderr, err := n.command.StderrPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.command.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.ended = make(chan struct{})
	serving := make(chan string, 1)
	go n.readLog(stderr, serving)
	address, serves := <-serving
	if !serves {
		n.t.Errorf("a node ended before it served:\n%s", n.log)
		return
	}
	n.move(address)
}

// readLog keeps the log and tells where the node listens; serving is closed if it ends before that.
func (n *node) readLog(stderr io.Reader, serving chan<- string) {
	defer close(n.ended)
	defer close(serving)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		n.mu.Lock()
		n.log = append(append(n.log, lines.Bytes()...), '\n')
		n.mu.Unlock()
		var entry struct{ Msg, Listening string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "serving" {
			serving <- entry.Listening
		}
	}
}

// end sends a signal, SIGKILL or one that asks, and waits until the process has ended.
func (n *node) end(signal syscall.Signal) {
	n.t.Helper()
	n.move("")
	if err := n.command.Process.Signal(signal); err != nil {
		n.t.Error(err)
	}
	<-n.ended
	if err := n.command.Wait(); err != nil && signal != syscall.SIGKILL {
		n.t.Errorf("a node that was asked to stop: %v\n%s", err, n.log)
	}
}

func (n *node) move(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.address = address
}

// at gives the address, empty while the node is down.
func (n *node) at() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.address
}

// defects gives the lines of the log that tell of a mistake of the server, in all its lives.
func (n *node) defects() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found []string
	for line := range bytes.Lines(n.log) {
		if !bytes.HasPrefix(line, []byte("{")) || bytes.Contains(line, []byte(`"level":"ERROR"`)) {
			found = append(found, string(line))
		}
	}
	return strings.Join(found, "")
}

// nodeEnv is the environment of every node.
func nodeEnv(database, nats string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"LETTERLOCK_ADDR=127.0.0.1:0",
		"LETTERLOCK_PUBLIC_URL=" + origin,
		"LETTERLOCK_DATABASE=" + database,
		"LETTERLOCK_NATS=" + nats,
		"LETTERLOCK_LOOK_AGAIN=1s",
		"LETTERLOCK_LOG_FORMAT=json",
	}
}

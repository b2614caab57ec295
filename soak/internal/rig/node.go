package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/letterlock/letterlock/internal/testport"
)

// ready is how long a server may take to start.
const ready = 60 * time.Second

// Node is a server process that is started again at the same address after its end.
type Node struct {
	Address string

	metrics string // the address of its metrics
	program string
	clock   io.WriteCloser // moves its clock; nil if it goes by the system's
	moves   bool           // whether its clock can be moved
	space   *Space         // where it runs; nil for where this program does
	env     []string
	log     *logbook
	command *exec.Cmd
	ended   chan struct{} // closed when the process is gone
	id      atomic.Int64  // the process's, for Memory
}

// NewNode makes a Node; Start starts it. env is what is set besides the address, like LETTERLOCK_DATABASE=….
func NewNode(ctx context.Context, program string, env ...string) (*Node, error) {
	address, err := testport.Free(ctx)
	if err != nil {
		return nil, err
	}
	metrics, err := testport.Free(ctx)
	if err != nil {
		return nil, err
	}
	env = append([]string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "LETTERLOCK_ADDR=" + address, "LETTERLOCK_METRICS_ADDR=" + metrics,
	}, env...)
	return &Node{Address: address, metrics: metrics, program: program, env: env, log: newLogbook()}, nil
}

// In has the node run in a Space.
func (n *Node) In(s *Space) { n.space = s }

// WithClock has the node be the server with a clock of its own, whichever its program was.
func (n *Node) WithClock() (err error) {
	n.moves = true
	n.env = append(n.env, PartVariable+"="+clockServer)
	n.program, err = os.Executable()
	return err
}

// SetClock moves the clock of a node to be so far ahead of the system's, until its end.
func (n *Node) SetClock(ahead time.Duration) error { return n.order(ahead) }

// Mistake has a node with a clock of its own make a mistake, one of clockserver's.
func (n *Node) Mistake(name string) error { return n.order(name) }

func (n *Node) order(what any) error {
	_, err := fmt.Fprintln(n.clock, what)
	return err
}

// Start starts the process and waits until it is ready.
func (n *Node) Start(ctx context.Context) error {
	lasting := context.WithoutCancel(ctx)               // it is ended by Kill and Stop
	n.command = exec.CommandContext(lasting, n.program) // #nosec G204 -- named by who runs this
	if n.space != nil {
		n.command = n.space.Command(lasting, n.program)
	}
	n.command.Env, n.command.Stderr, n.command.Stdout = n.env, n.log, n.log
	if n.moves {
		n.command.Args = append(n.command.Args, clockServer)
		pipe, err := n.command.StdinPipe()
		if err != nil {
			return err
		}
		n.clock = pipe
	}
	if err := n.command.Start(); err != nil {
		return err
	}
	n.id.Store(int64(n.command.Process.Pid))
	ended, command := make(chan struct{}), n.command
	n.ended = ended
	go func() {
		defer close(ended)
		_ = command.Wait() // how it ended is read from its state
		n.log.end()
	}()
	return n.AwaitReady(ctx)
}

// AwaitReady waits until it says that it is ready to work.
func (n *Node) AwaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ready)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !n.Ready(ctx) {
		select {
		case <-tick.C:
		case <-n.ended:
			return fmt.Errorf("the server ended while it started:\n%s", n.log)
		case <-ctx.Done():
			return fmt.Errorf("the server did not get ready: %w\n%s", ctx.Err(), n.log)
		}
	}
	return nil
}

// Ready asks it whether it is ready to work.
func (n *Node) Ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.Address+"/readyz", nil)
	if err != nil {
		return false
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Kill ends the process as a power cut would end it.
func (n *Node) Kill() error { return n.end(syscall.SIGKILL) }

// Stop ends the process in order. It fails if that did not go well.
func (n *Node) Stop() error {
	if n.ended == nil {
		return nil
	}
	if err := n.end(syscall.SIGTERM); err != nil {
		return err
	}
	if state := n.command.ProcessState; !state.Success() {
		return fmt.Errorf("the server ended badly: %v\n%s", state, n.log)
	}
	return nil
}

func (n *Node) end(signal syscall.Signal) error {
	if n.ended == nil {
		return nil
	}
	select {
	case <-n.ended:
		return nil
	default:
	}
	if err := n.signal(signal); err != nil {
		return err
	}
	select {
	case <-n.ended:
		return nil
	case <-time.After(ready):
		return errors.Join(fmt.Errorf("the server did not end by %v", signal), n.command.Process.Kill())
	}
}

// Freeze stops the process where it is, Thaw has it go on.
func (n *Node) Freeze() error { return n.signal(syscall.SIGSTOP) }

// Thaw is the end of Freeze.
func (n *Node) Thaw() error { return n.signal(syscall.SIGCONT) }

func (n *Node) signal(s syscall.Signal) error { return n.command.Process.Signal(s) }

// Alive fails if the process has ended by itself.
func (n *Node) Alive() error {
	select {
	case <-n.ended:
		return fmt.Errorf("the server has ended by itself: %v\n%s", n.command.ProcessState, n.log)
	default:
		return nil
	}
}

// Log gives the first lines of the log, in all lives, that tell of a defect of the server, that hold what no log may, and that warn of
// anything.
func (n *Node) Log() (defects, secrets, warnings string) { return n.log.found() }

// Watch has lines with some words counted. It comes before Start.
func (n *Node) Watch(phrases []string) { n.log.watch(phrases) }

// Said gives in how many lines words stood that are watched.
func (n *Node) Said(phrase string) int { return n.log.count(phrase) }

// CopyLog has the log written down. It comes before Start.
func (n *Node) CopyLog(to io.Writer) { n.log.copy = to }

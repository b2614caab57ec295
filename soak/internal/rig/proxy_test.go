package rig

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/testmain"
)

func TestMain(m *testing.M) {
	os.Exit(testmain.WithoutLeaks(m, "soak/internal/rig"))
}

// answers is a server that answers each line with what is given for it, or with the line.
func answers(t *testing.T, given map[string]string) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					answer, known := given[lines.Text()]
					if !known {
						answer = lines.Text()
					}
					if _, err := io.WriteString(conn, answer+"\n"); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func proxy(t *testing.T, to string) *Proxy {
	t.Helper()
	p, err := NewProxy(context.WithoutCancel(t.Context()), to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

type caller struct {
	net.Conn
	lines *bufio.Reader
}

func call(t *testing.T, p *Proxy) *caller {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &caller{conn, bufio.NewReader(conn)}
}

// ask gives the answer to a line.
func (c *caller) ask(line string) (string, error) {
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		return "", err
	}
	return c.lines.ReadString('\n')
}

func TestTheProxyPassesAndCuts(t *testing.T) {
	p := proxy(t, answers(t, nil))
	c := call(t, p)
	if answer, err := c.ask("hello"); answer != "hello\n" {
		t.Fatalf("%q, %v", answer, err)
	}
	p.Slow(time.Millisecond)
	if answer, err := c.ask("slow"); answer != "slow\n" {
		t.Fatalf("%q, %v", answer, err)
	}
	p.Cut()
	if answer, err := c.ask("cut"); err == nil {
		t.Errorf("a connection that was cut answers %q", answer)
	}
	if answer, err := call(t, p).ask("again"); answer != "again\n" {
		t.Errorf("a new connection after the cut: %q, %v", answer, err)
	}
	p.Refuse(true)
	if answer, err := call(t, p).ask("refused"); err == nil {
		t.Errorf("a proxy that refuses answers %q", answer)
	}
}

// An answer that is swallowed never comes, also when the proxy speaks again: the connection is cut first.
func TestTheProxySwallowsAnswers(t *testing.T) {
	p := proxy(t, answers(t, nil))
	c := call(t, p)
	if _, err := c.ask("hello"); err != nil {
		t.Fatal(err)
	}
	p.Silence(true)
	done := make(chan error, 1)
	go func() { _, err := c.ask("swallowed"); done <- err }()
	other := call(t, p)
	_ = other.SetDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = io.WriteString(other, "swallowed, too\n")
	if _, err := other.lines.ReadString('\n'); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a silent proxy says something: %v", err)
	}
	p.Cut()
	if err := <-done; err == nil {
		t.Error("what was swallowed has come")
	}
}

// The answer to COMMIT is lost, with its connection, as often as was asked for; other answers pass.
func TestTheProxyLosesAnswersToCommit(t *testing.T) {
	p := proxy(t, answers(t, map[string]string{"commit": "before" + string(committed) + "after"}))
	p.LoseCommits(1)
	c := call(t, p)
	if answer, err := c.ask("select"); answer != "select\n" {
		t.Fatalf("%q, %v", answer, err)
	}
	if answer, err := c.ask("commit"); !errors.Is(err, io.EOF) {
		t.Errorf("the answer to COMMIT: %q, %v", answer, err)
	}
	if _, err := call(t, p).ask("commit"); err != nil || p.LostCommits() != 1 {
		t.Errorf("%d answers are lost, and after them: %v", p.LostCommits(), err)
	}
}

// Where the network falls apart nobody hears of it, not even that the other side has hung up; later all of it comes, late.
func TestTheProxyHoldsBack(t *testing.T) {
	p := proxy(t, answers(t, nil))
	c, leaves := call(t, p), call(t, p)
	for _, who := range []*caller{c, leaves} {
		if _, err := who.ask("hello"); err != nil {
			t.Fatal(err)
		}
	}
	p.Part(true)
	_ = leaves.Close()
	_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = io.WriteString(c, "held back\n")
	if line, err := c.lines.ReadString('\n'); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("something came through: %q, %v", line, err)
	}
	p.Part(false)
	if answer, err := c.ask("late"); answer != "held back\n" {
		t.Errorf("afterwards came %q, %v", answer, err)
	}
}

package socket

import (
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/guard"
)

const interval = time.Hour

// sweptSockets are Sockets whose sweeper does nothing by itself for as long as a test runs.
func sweptSockets() *Sockets {
	return New(Options{
		Guard: guard.New(guard.Options{}), Present: failure.NewPresenter(slog.New(slog.DiscardHandler), time.Now),
		InitTimeout: 3 * interval, PingInterval: interval, WriteTimeout: interval,
	})
}

// swept adds a socket that is not read, and gives what it writes, one write at a time.
func swept(t *testing.T, s *Sockets, inited bool) (*conn, <-chan string) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() {
		_ = ours.Close()
		_ = theirs.Close()
	})
	c := newConn(s, &websocket.Conn{}, &wire{Conn: ours}, nil)
	c.inited = inited
	c.alive()
	written := make(chan string, 100)
	go func() {
		defer close(written)
		for read := make([]byte, 200); ; {
			n, err := theirs.Read(read)
			if err != nil {
				return
			}
			written <- string(read[:n])
		}
	}()
	s.sweeper.add(c)
	t.Cleanup(func() { s.sweeper.remove(c) })
	return c, written
}

// sweepUntil has the sweeper look around as it does in that time.
func sweepUntil(s *Sockets, start time.Time, after time.Duration) {
	for now := start; !now.After(start.Add(after)); now = now.Add(s.sweeper.every) {
		s.sweeper.sweep(now)
	}
}

func wantWritten(t *testing.T, written <-chan string, want string) {
	t.Helper()
	select {
	case got := <-written:
		if len(got) < len(want) || got[:len(want)] != want {
			t.Fatalf("written %q, want %q", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("nothing was written, want %q", want)
	}
}

// Frames, or how they begin.
const (
	ping       = "\x89\x00"
	closed1001 = "\x88\x11\x03\xe9"
	closed4408 = "\x88\x23\x11\x38"
)

// A socket on which nothing else happens is pinged once an interval. It lives as long as something comes back, and is closed
// when nothing has for two and a half.
func TestSweeperPingsAndEndsTheSilent(t *testing.T) {
	s := sweptSockets()
	c, written := swept(t, s, true)
	start := time.Now()
	for range 10 {
		sweepUntil(s, start, interval)
		wantWritten(t, written, ping)
		start = start.Add(interval)
		c.seen.Store(start.UnixNano())
	}
	sweepUntil(s, start, 4*interval)
	all := ""
	for !strings.Contains(all, closed1001) {
		select {
		case got := <-written:
			all += got
		case <-time.After(10 * time.Second):
			t.Fatalf("written %q, and no close frame", all)
		}
	}
	// A third one, where the interval of pings and that of silence began apart.
	if pings := strings.Count(all, ping); pings < 2 || pings > 3 {
		t.Errorf("%d pings before the end", pings)
	}
}

func TestSweeperEndsWhoDoesNotBegin(t *testing.T) {
	s := sweptSockets()
	_, written := swept(t, s, false)
	start := time.Now()
	sweepUntil(s, start, 3*interval-s.sweeper.every)
	if len(written) > 0 {
		t.Fatalf("written %q before its time", <-written)
	}
	sweepUntil(s, start.Add(3*interval), 2*s.sweeper.every)
	wantWritten(t, written, closed4408)
}

// Sockets that were opened together are not pinged together.
func TestSweeperSpreadsPings(t *testing.T) {
	const sockets = 640
	s := sweptSockets()
	for range sockets {
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		t.Cleanup(func() { _ = ours.Close() })
		c := newConn(s, &websocket.Conn{}, &wire{Conn: ours}, nil)
		c.inited = true
		s.sweeper.add(c)
		t.Cleanup(func() { s.sweeper.remove(c) })
	}
	start := time.Now()
	most, before := 0, map[*conn]time.Time{}
	for n := range sweepsPerInterval + 1 {
		s.sweeper.sweep(start.Add(time.Duration(n) * s.sweeper.every))
		looked := 0
		for _, c := range s.sweeper.waiting {
			if before[c] != c.lookAt {
				looked++
			}
			before[c] = c.lookAt
		}
		if n > 0 {
			most = max(most, looked)
		}
	}
	if most > sockets/8 { // ten on average
		t.Errorf("%d of %d sockets were pinged at once", most, sockets)
	}
}

// The sweeper's goroutine is there as long as a socket is.
func TestSweeperEndsWithTheLastSocket(t *testing.T) {
	s := sweptSockets()
	a, _ := swept(t, s, true)
	b, _ := swept(t, s, true)
	s.sweeper.remove(a)
	if s.sweeper.empty == nil {
		t.Error("it has ended before the last socket")
	}
	s.sweeper.remove(b)
	s.sweeper.remove(b)
	if s.sweeper.empty != nil || len(s.sweeper.waiting) != 0 {
		t.Error("it goes on without a socket")
	}
}

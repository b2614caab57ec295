package server_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testcert"
	"github.com/letterlock/letterlock/internal/testserver"
)

// forwarded are the headers that a proxy sends for somebody.
func forwarded(address string) http.Header { return http.Header{"X-Forwarded-For": {address}} }

// streamFrom opens an event stream for somebody and waits until it is there. It ends by the function.
func streamFrom(t *testing.T, s *testserver.Server, d *testserver.Device, address string) context.CancelFunc {
	t.Helper()
	header := forwarded(address)
	header.Set("Authorization", "Bearer "+d.Token(s.URL))
	ctx, cancel := context.WithCancel(t.Context())
	if events := s.StreamWith(ctx, t, header, testserver.Received, nil); events.Status != http.StatusOK {
		t.Fatalf("an event stream from %s: status %d", address, events.Status)
	}
	return cancel
}

// refusedStream asks for an event stream that is to be refused.
func refusedStream(t *testing.T, s *testserver.Server, address string) *testserver.Answer {
	t.Helper()
	header := forwarded(address)
	header.Set("Content-Type", "application/json")
	header.Set("Accept", "text/event-stream")
	return s.Post(t, header, []byte(versionQuery))
}

// Who comes slowly and never leaves takes no more than a share, whatever they keep open, and others find room.
func TestWhatOneAddressKeepsOpenIsBounded(t *testing.T) {
	s := testserver.Start(t, testserver.Options{
		TrustedProxies: []string{"127.0.0.1"}, MetricsAddr: "127.0.0.1:0", Limits: func(l *limits.Limits) { l.MaxSocketsPerAddress = 3 },
	})
	const home, sameHome = "2001:db8::1", "2001:db8::2"
	d := s.Register(t).Devices[0]
	modern, _, err := s.TryDial(t, testserver.Modern, forwarded(home))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.TryDial(t, testserver.Legacy, forwarded(sameHome)); err != nil {
		t.Fatal(err)
	}
	hangUp := streamFrom(t, s, d, home)
	refused := func() bool {
		socket, response, err := s.TryDial(t, testserver.Modern, forwarded(sameHome))
		if err == nil {
			_ = socket.Conn.Close()
			return false
		}
		if response == nil || response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "10" {
			t.Fatalf("a socket too many: %v, %+v", err, response)
		}
		return true
	}
	if !refused() {
		t.Fatal("a socket too many was opened")
	}
	answer := refusedStream(t, s, home)
	checkLimited(t, answer, http.StatusTooManyRequests)
	wrong(t, answer, "RATE_LIMITED", "of this address are open")
	if _, _, err := s.TryDial(t, testserver.Modern, forwarded(someone)); err != nil {
		t.Errorf("another address: %v", err)
	}
	if answer := ask(t, s, home, "", versionQuery); answer.Code() != "" {
		t.Errorf("a plain request: %s", answer.Body)
	}
	if text := scrape(t, s).text; !strings.Contains(text, `letterlock_limits_met_total{limit="open_of_address",scope="node"} 2`) {
		t.Error("the metrics do not say which limit was met")
	}
	hangUp()
	waitFor(t, "the place of the event stream", func() bool { return !refused() })
	_ = modern.Conn.Close()
	waitFor(t, "the place of the socket", func() bool { return !refused() })
}

// Event streams and sockets share what the server has room for.
func TestEventStreamsTakePlacesOfSockets(t *testing.T) {
	s, _ := limitedServer(t, func(l *limits.Limits) { l.MaxSockets = 1 })
	d := s.Register(t).Devices[0]
	hangUp := streamFrom(t, s, d, someone)
	_, response, err := s.TryDial(t, testserver.Modern, nil)
	if err == nil || response == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("a socket beside a stream: %v %+v", err, response)
	}
	hangUp()
	waitFor(t, "the place of the event stream", func() bool {
		_, _, err := s.TryDial(t, testserver.Modern, nil)
		return err == nil
	})
	answer := refusedStream(t, s, another)
	if answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("a stream beside a socket: status %d, %v", answer.Status, answer.Header)
	}
	wrong(t, answer, "OVERLOADED", "All sockets")
}

// A socket that shows no token and asks nothing goes, however much it pings. Those that have said who they are wait as long as they like.
func TestIdleSocketsWithoutTokenAreClosed(t *testing.T) {
	s := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) {
		l.IdleTimeout, l.PingInterval = 200*time.Millisecond, 100*time.Millisecond
	}})
	d := s.Register(t).Devices[0]
	for _, protocol := range []string{testserver.Modern, testserver.Legacy} {
		known, idle := s.Open(t, protocol, d.Token(s.URL)), s.Open(t, protocol, "")
		go keepReading(known)
		idle.Start("1", `{ server { version } }`, nil)
		idle.Next()
		idle.Expect("complete")
		if code, reason := idle.Closed(); code != socket.CloseIdle || !strings.Contains(reason, "nothing was asked") {
			t.Errorf("%s: closed with %d %q", protocol, code, reason)
		}
	}
	waitFor(t, "only those with a token to be open", func() bool { return s.Inner.Sockets() == 2 })
	later := s.Open(t, testserver.Modern, "")
	later.Closed()
	if n := s.Inner.Sockets(); n < 2 {
		t.Errorf("%d sockets with a token are left", n)
	}
}

// Connections on which nothing is asked are bounded as well, and leave the places of others alone.
func TestConnectionsAreBounded(t *testing.T) {
	s := testserver.Start(t, testserver.Options{MetricsAddr: "127.0.0.1:0", Limits: func(l *limits.Limits) { l.MaxSockets, l.MaxConnections = 1, 1 }})
	first := connect(t, s.Addr)
	connect(t, s.Addr)
	hungUp(t, connect(t, s.Addr))
	if text := scrape(t, s).text; !strings.Contains(text, `letterlock_limits_met_total{limit="connections",scope="node"} 1`) {
		t.Error("the metrics do not say which limit was met")
	}
	_ = first.Close()
	waitFor(t, "the place of the first", func() bool {
		_, _, err := s.TryDial(t, testserver.Modern, nil)
		return err == nil
	})
}

// So are those that come for the way to https.
func TestConnectionsByPlainHTTPAreBounded(t *testing.T) {
	options, _ := withCertificate(testcert.New(t))
	options.HTTPRedirect = "127.0.0.1:0"
	options.Limits = func(l *limits.Limits) { l.MaxConnections = 1 }
	s := testserver.Start(t, options)
	connect(t, s.Inner.RedirectAddr().String())
	hungUp(t, connect(t, s.Inner.RedirectAddr().String()))
}

// connect opens a connection on which nothing is said.
func connect(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// hungUp waits until the server has closed a connection.
func hungUp(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second)) // less than the server waits for a request
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection too many: %v", err)
	}
}

// keepReading answers pings until the socket ends.
func keepReading(s *testserver.Socket) {
	for {
		if _, _, err := s.Conn.ReadMessage(); err != nil {
			return
		}
	}
}

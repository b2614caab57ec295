package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/server"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testcert"
	"github.com/letterlock/letterlock/internal/testserver"
)

// publicOrigin is a name that the servers of these tests go by, if not by those of loopback.
const publicOrigin = "https://chat.example.org"

// secured starts a server with a certificate of its own.
func secured(t *testing.T, change ...func(*testserver.Options)) (*testserver.Server, *testcert.Authority, testcert.Files) {
	t.Helper()
	authority := testcert.New(t)
	options, files := withCertificate(authority)
	for _, c := range change {
		c(&options)
	}
	return testserver.Start(t, options), authority, files
}

// withCertificate gives the options of a server with a certificate of an authority.
func withCertificate(authority *testcert.Authority) (testserver.Options, testcert.Files) {
	files := authority.Files()
	authority.Issue(files, time.Now().Add(60*24*time.Hour), "localhost", "127.0.0.1", "chat.example.org")
	return testserver.Options{
		TLS: certs.Options{Cert: files.Cert, Key: files.Key, Every: 10 * time.Millisecond}, Roots: authority.Pool,
	}, files
}

// presented gives the certificate that a server shows.
func presented(t *testing.T, s *testserver.Server) *x509.Certificate {
	t.Helper()
	conn, err := (&tls.Dialer{Config: s.Trust()}).DialContext(t.Context(), "tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	secure, ok := conn.(*tls.Conn)
	if !ok {
		t.Fatal("no TLS")
	}
	return secure.ConnectionState().PeerCertificates[0]
}

// All that clients do works over TLS: queries, mutations, subscriptions over each transport, and stopping in order.
func TestServesOverTLS(t *testing.T) {
	s, _, _ := secured(t)
	if !strings.HasPrefix(s.URL, "https://localhost:") {
		t.Fatalf("the server goes by %s", s.URL)
	}
	for name, listen := range transports {
		t.Run(name, func(t *testing.T) {
			alice, bob := s.Register(t).Devices[0], s.Register(t).Devices[0]
			s.Send(t, "stored", alice, bob).Into(t, &struct{}{})
			l := listen(t, s, bob.Token(s.URL), nil)
			received(t, l.next())
			s.Send(t, "live", alice, bob).Into(t, &struct{}{})
			received(t, l.next())
		})
	}
	t.Run("mutations over a WebSocket", func(t *testing.T) {
		alice, bob := s.Register(t).Devices[0], s.Register(t).Devices[0]
		ws := s.Open(t, testserver.Modern, alice.Token(s.URL))
		input := testserver.Message(t, strings.Repeat("long ", 5000), alice, bob)
		ws.Start("1", testserver.SendMessage, map[string]any{"input": input})
		ws.Next().Into(t, &struct{}{})
		if got := len(waiting(t, s, bob)); got != 1 {
			t.Errorf("%d messages wait", got)
		}
	})
	d := s.Register(t).Devices[0]
	ws := s.Open(t, testserver.Modern, d.Token(s.URL))
	ws.Start("1", testserver.Received, nil)
	legacy := s.Open(t, testserver.Legacy, d.Token(s.URL))
	if err := s.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	for _, c := range []*testserver.Socket{ws, legacy} {
		if code, _ := c.Closed(); code != socket.CloseRestart {
			t.Errorf("closed with %d, want 1012", code)
		}
	}
}

// Over HTTP/2 the deadline of a write is one of the stream. A stream lives on that has nothing to say for longer than a write
// may take, and one that the server cuts off does not look complete.
func TestEventStreamsOverHTTP2(t *testing.T) {
	s, _, _ := secured(t, func(o *testserver.Options) {
		o.Limits = func(l *limits.Limits) { l.WriteTimeout, l.PingInterval = 500*time.Millisecond, 2*time.Second }
	})
	d := s.Register(t).Devices[0]
	s.Send(t, "stored", d, d).Into(t, &struct{}{})
	events := s.Stream(t.Context(), t, d.Token(s.URL), testserver.Received, nil)
	if events.Protocol != "HTTP/2.0" {
		t.Errorf("spoken is %s", events.Protocol)
	}
	events.Next()
	for range 2 {
		events.Comment() // comes after four times as long
	}
	s.Send(t, "live", d, d).Into(t, &struct{}{})
	events.Next()
	if err := s.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if kind, data, err := events.Event(); err == nil {
		t.Errorf("the stream ended in order, with %q %s", kind, data)
	}
}

// A renewed certificate is taken while sockets are open, and one that can't be used is not; the log says why.
func TestRenewedCertificateIsTaken(t *testing.T) {
	log := &buffer{}
	s, authority, files := secured(t, logTo(log))
	d := s.Register(t).Devices[0]
	open := s.Open(t, testserver.Modern, d.Token(s.URL))
	open.Start("1", testserver.Received, nil)
	old := presented(t, s)

	renewed := authority.Issue(files, time.Now().Add(70*24*time.Hour), "localhost", "127.0.0.1")
	waitFor(t, "the new certificate", func() bool { return presented(t, s).Equal(renewed) })

	for _, spoil := range []struct {
		do   func()
		says string
	}{
		{func() {
			other := authority.Files()
			authority.Issue(other, time.Now().Add(time.Hour), "localhost")
			replace(t, other.Key, files.Key)
		}, "private key does not match"},
		{func() { authority.Issue(files, time.Now().Add(-time.Hour), "localhost") }, "has expired"},
		{func() { write(t, files.Cert, "nothing") }, "failed to find any PEM data in certificate"},
		{func() { write(t, files.Key, ""); _ = os.Remove(files.Cert) }, "no such file"},
	} {
		spoil.do()
		waitFor(t, spoil.says, func() bool { return strings.Contains(log.String(), spoil.says) })
		if !presented(t, s).Equal(renewed) {
			t.Errorf("%s: another certificate is shown", spoil.says)
		}
	}
	again := authority.Issue(files, time.Now().Add(80*24*time.Hour), "localhost", "127.0.0.1")
	waitFor(t, "the certificate after that", func() bool { return presented(t, s).Equal(again) })

	s.Send(t, "the socket is still there", d, d).Into(t, &struct{}{})
	received(t, open.Next())
	if old.Equal(renewed) || strings.Contains(log.String(), "PRIVATE KEY") {
		t.Errorf("the log: %s", log.String())
	}
	for _, key := range keyLines(t, files.Key) {
		if strings.Contains(log.String(), key) {
			t.Error("a key is in the log")
		}
	}
}

// How long the certificate lasts is a metric, and the log says when somebody should look, also to who never looks at metrics.
func TestCertificateThatIsNotRenewedIsTold(t *testing.T) {
	log := &buffer{}
	authority := testcert.New(t)
	options, files := withCertificate(authority)
	authority.Issue(files, time.Now().Add(13*24*time.Hour), "localhost", "127.0.0.1")
	options.MetricsAddr = "127.0.0.1:0"
	logTo(log)(&options)
	s := testserver.Start(t, options)
	waitFor(t, "the log to say it", func() bool { return strings.Contains(log.String(), "expires soon") })
	if days := scrape(t, s).value(t, "letterlock_certificate_days"); days < 12.9 || days > 13 {
		t.Errorf("it lasts %v days, it is said", days)
	}
	authority.Issue(files, time.Now().Add(60*24*time.Hour), "localhost", "127.0.0.1")
	waitFor(t, "the metric to follow", func() bool { return scrape(t, s).value(t, "letterlock_certificate_days") > 59 })
	if n := strings.Count(log.String(), "expires soon"); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

func logTo(log io.Writer) func(*testserver.Options) {
	return func(o *testserver.Options) {
		o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func replace(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(content))
}

// keyLines gives what is in a key's file between its first and last line.
func keyLines(t *testing.T, name string) (lines []string) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "-----") {
			lines = append(lines, line)
		}
	}
	return lines
}

// What can't work is refused at the start, in words that name what to change and hold no key.
func TestUnusableTLSIsRefused(t *testing.T) {
	authority := testcert.New(t)
	good, other := authority.Files(), authority.Files()
	authority.Issue(good, time.Now().Add(time.Hour), "localhost")
	authority.Issue(other, time.Now().Add(time.Hour), "localhost")
	locked, long := authority.Files(), authority.Files()
	write(t, locked.Key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	write(t, long.Cert, strings.Repeat("x", 2<<20))
	for want, change := range map[string]func(*server.Config){
		"LETTERLOCK_TLS_CERT and LETTERLOCK_TLS_KEY belong together": func(c *server.Config) { c.TLS.Cert = good.Cert },
		"private key does not match public key":                      func(c *server.Config) { c.TLS.Cert, c.TLS.Key = good.Cert, other.Key },
		"LETTERLOCK_TLS_CERT: open":                                  func(c *server.Config) { c.TLS.Cert, c.TLS.Key = other.Cert+"x", other.Key },
		"LETTERLOCK_TLS_KEY: open":                                   func(c *server.Config) { c.TLS.Cert, c.TLS.Key = other.Cert, other.Key+"x" },
		"found a certificate rather than a key":                      func(c *server.Config) { c.TLS.Cert, c.TLS.Key = good.Cert, good.Cert },
		"locked by a passphrase":                                     func(c *server.Config) { c.TLS.Cert, c.TLS.Key = good.Cert, locked.Key },
		"longer than any certificate":                                func(c *server.Config) { c.TLS.Cert, c.TLS.Key = long.Cert, good.Key },
		"LETTERLOCK_TLS_DOMAIN exclude each other": func(c *server.Config) {
			c.TLS.Cert, c.TLS.Key, c.TLS.Domains = good.Cert, good.Key, []string{"chat.example.org"}
		},
		"LETTERLOCK_TLS_DOMAIN: \"localhost\"":  func(c *server.Config) { c.TLS.Domains = []string{"localhost"} },
		"LETTERLOCK_TLS_DOMAIN: \"192.0.2.1\"":  func(c *server.Config) { c.TLS.Domains = []string{"192.0.2.1"} },
		"LETTERLOCK_ACME_DIRECTORY: \"http:":    func(c *server.Config) { c.TLS.Domains, c.TLS.Directory = []string{"a.example"}, "http://x" },
		"nothing without LETTERLOCK_TLS_DOMAIN": func(c *server.Config) { c.TLS.Email = "me@example.org" },
		"LETTERLOCK_HTTP_REDIRECT leads":        func(c *server.Config) { c.HTTPRedirect = "127.0.0.1:0" },
		"LETTERLOCK_HTTP_REDIRECT: \"80\"":      func(c *server.Config) { c.TLS.Cert, c.TLS.Key, c.HTTPRedirect = good.Cert, good.Key, "80" },
		"LETTERLOCK_PUBLIC_URL: \"http://chat": func(c *server.Config) {
			c.TLS.Cert, c.TLS.Key, c.PublicURLs = good.Cert, good.Key, []string{"http://chat.example.org"}
		},
	} {
		config := server.Config{Addr: "127.0.0.1:0", Limits: limits.Default()}
		config.Database.DataDir = t.TempDir()
		change(&config)
		_, err := server.New(t.Context(), config)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
			continue
		}
		for _, key := range append(keyLines(t, good.Key), keyLines(t, other.Key)...) {
			if strings.Contains(err.Error(), key) {
				t.Errorf("a key is in %v", err)
			}
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s, _, _ := secured(t)
	for version, good := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		config := s.Trust()
		config.MinVersion, config.MaxVersion = version, version
		conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", s.Addr)
		if err == nil {
			_ = conn.Close()
		}
		if good != (err == nil) {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

// Who speaks plain HTTP with the TLS address is told so, and nothing is done.
func TestPlainHTTPOnTheTLSAddress(t *testing.T) {
	s, _, _ := secured(t)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	if _, err := fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "HTTPS") {
		t.Errorf("%d %s %v", response.StatusCode, body, err)
	}
}

// Who connects and never begins the handshake, or stays in the middle of it, holds nothing up.
func TestStopDoesNotWaitForHandshakes(t *testing.T) {
	s, _, _ := secured(t, func(o *testserver.Options) {
		o.Limits = func(l *limits.Limits) { l.StopTimeout = 4 * time.Second }
	})
	for _, beginning := range []string{"", "\x16\x03\x01\x02\x00"} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, beginning); err != nil {
			t.Fatal(err)
		}
	}
	s.Query(t, "", `{ server { version } }`, nil).Into(t, &struct{}{}) // accepted later than the others
	if err := s.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// Browsers are told to come back over TLS alone, but not for names that all servers of a machine share.
func TestBrowsersStayWithTLS(t *testing.T) {
	public := func(o *testserver.Options) { o.PublicURLs = []string{publicOrigin} }
	for name, c := range map[string]struct {
		start func() *testserver.Server
		want  bool
	}{
		"public":   {func() *testserver.Server { s, _, _ := secured(t, public); return s }, true},
		"loopback": {func() *testserver.Server { s, _, _ := secured(t); return s }, false},
		"behind a proxy": {func() *testserver.Server {
			return testserver.Start(t, testserver.Options{PublicURLs: []string{publicOrigin}})
		}, false},
	} {
		s := c.start()
		for _, path := range []string{"/", "/graphql", "/healthz"} {
			got := s.Do(t, http.MethodGet, path, nil, nil).Header.Get("Strict-Transport-Security")
			if (got == "max-age=31536000") != c.want || !c.want && got != "" {
				t.Errorf("%s, %s: %q", name, path, got)
			}
		}
	}
}

// Pages call from https where the server speaks it; where it goes by loopback names, from there by either scheme.
func TestOriginsOfAServerThatSpeaksTLS(t *testing.T) {
	local, _, _ := secured(t)
	public, _, _ := secured(t, func(o *testserver.Options) { o.PublicURLs = []string{publicOrigin} })
	_, port, err := net.SplitHostPort(local.Addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		s      *testserver.Server
		origin string
		want   bool
	}{
		{local, "https://localhost:" + port, true},
		{local, "http://localhost:5173", true},
		{local, "https://evil.example", false},
		{public, publicOrigin, true},
		{public, "http://chat.example.org", false},
		{public, "https://localhost:" + port, false},
	} {
		ws, response, err := c.s.TryDial(t, testserver.Modern, http.Header{"Origin": {c.origin}})
		if c.want != (err == nil) {
			t.Errorf("%s at %s: %v %+v", c.origin, c.s.URL, err, response)
		}
		if ws != nil {
			_ = ws.Conn.Close()
		}
	}
	token := local.Register(t).Devices[0].Token(strings.Replace(local.URL, "https:", "http:", 1))
	wrong(t, local.Query(t, token, `{ viewer { id } }`, nil), "UNAUTHENTICATED", "")
}

func TestRedirectsToHTTPS(t *testing.T) {
	s, _, _ := secured(t, func(o *testserver.Options) {
		o.HTTPRedirect = "127.0.0.1:0"
		o.PublicURLs = []string{publicOrigin, "https://Chat2.example.org:8443"}
	})
	plain := *s
	plain.Scheme, plain.Addr = "http", s.Inner.RedirectAddr().String()
	for _, c := range []struct{ method, host, path, want string }{
		{"GET", "chat.example.org", "/", publicOrigin + "/"},
		{"HEAD", "chat.example.org:80", "/playground/?query=%7Bx%7D", publicOrigin + "/playground/?query=%7Bx%7D"},
		{"GET", "chat2.example.org", "/a%2fb/../c", "https://chat2.example.org:8443/a%2fb/../c"},
		{"GET", "evil.example", "//evil.example/x", publicOrigin + "//evil.example/x"},
		{"GET", "", "http://evil.example/x?y", publicOrigin + "/x?y"},
	} {
		status, header, _ := askPlain(t, plain.Addr, c.method, c.host, c.path)
		if got := header.Get("Location"); status != http.StatusPermanentRedirect || got != c.want {
			t.Errorf("%s %s at %q: %d %q, want %q", c.method, c.path, c.host, status, got, c.want)
		}
	}
	for name, answer := range map[string]*testserver.Answer{
		"body":      plain.Query(t, "", `{ server { version } }`, nil),
		"token":     plain.Do(t, http.MethodGet, "/graphql", http.Header{"Authorization": {"Bearer x"}}, nil),
		"WebSocket": plain.Do(t, http.MethodGet, "/graphql", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}, nil),
	} {
		if answer.Status != http.StatusForbidden || !strings.Contains(answer.Body, "take it for leaked") {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Body)
		}
	}
	if err := s.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := new(net.Dialer).DialContext(context.Background(), "tcp", plain.Addr); err == nil {
		t.Error("the redirect is still there")
	}
}

// askPlain sends a request as it is written.
func askPlain(t *testing.T, addr, method, host, path string) (int, http.Header, string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	if _, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", method, path, host); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body) // that of HEAD is not there
	return response.StatusCode, response.Header, string(body)
}

package server_test

import (
	"crypto/tls"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/testacme"
	"github.com/letterlock/letterlock/internal/testserver"
)

func portOf(t *testing.T, addr net.Addr) int {
	t.Helper()
	_, text, err := net.SplitHostPort(addr.String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// certified starts a server with names that an authority is to certify.
func certified(t *testing.T, authority *testacme.Authority, dataDir string, log *buffer) *testserver.Server {
	t.Helper()
	options := testserver.Options{
		DataDir: dataDir, Roots: authority.Pool, HTTPRedirect: "127.0.0.1:0", MetricsAddr: "127.0.0.1:0",
		TLS: certs.Options{
			Domains: []string{"chat.example.org", "Chat.example.net"}, Email: "me@example.org", Directory: authority.Directory,
			CA: authority.CA, Cache: filepath.Join(dataDir, "certificates"), Every: 10 * time.Millisecond,
		},
	}
	logTo(log)(&options)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log)
		}
	})
	return testserver.Start(t, options)
}

// shows reports whether a server shows a certificate for a name that a client trusts.
func shows(t *testing.T, s *testserver.Server, name string) bool {
	t.Helper()
	config := s.Trust()
	config.ServerName = name
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", s.Addr)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// An authority certifies the names, over the TLS address or, where that can't be reached, over plain HTTP; what it has certified
// is kept for the next start, and it certifies nothing else.
func TestCertificatesFromAnAuthority(t *testing.T) {
	for name, ports := range map[string]func(s *testserver.Server) (tlsPort, httpPort int){
		"tls-alpn-01": func(s *testserver.Server) (int, int) { return portOf(t, s.Inner.Addr()), 1 },
		"http-01":     func(s *testserver.Server) (int, int) { return 1, portOf(t, s.Inner.RedirectAddr()) },
	} {
		t.Run(name, func(t *testing.T) {
			authority, dataDir, log := testacme.Start(t), t.TempDir(), &buffer{}
			s := certified(t, authority, dataDir, log)
			if want := "https://chat.example.org:" + strconv.Itoa(portOf(t, s.Inner.Addr())); s.URL != want {
				t.Errorf("the server goes by %s, want %s", s.URL, want)
			}
			if days := scrape(t, s).value(t, "letterlock_certificate_days"); days != 0 || shows(t, s, "chat.example.org") {
				t.Errorf("there is a certificate for %v days before somebody has made one", days)
			}
			authority.Look(ports(s))
			waitFor(t, "the certificates", func() bool { return scrape(t, s).value(t, "letterlock_certificate_days") > 1 })
			for _, name := range []string{"chat.example.org", "CHAT.example.net"} {
				if !shows(t, s, name) {
					t.Errorf("no certificate for %s", name)
				}
			}
			orders := authority.Orders()
			if shows(t, s, "other.example.org") || authority.Orders() != orders {
				t.Error("another name was certified")
			}
			closedToOthers(t, filepath.Join(dataDir, "certificates"), log.String())
			if err := s.Stop(); err != nil {
				t.Errorf("stop: %v", err)
			}
			again := certified(t, authority, dataDir, log)
			waitFor(t, "the kept certificates", func() bool { return shows(t, again, "chat.example.org") && shows(t, again, "chat.example.net") })
			if authority.Orders() != orders {
				t.Error("certificates were ordered again")
			}
		})
	}
}

// closedToOthers checks that what is kept is nobody else's, and that its keys are not in the log.
func closedToOthers(t *testing.T, dir, log string) {
	t.Helper()
	keys := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
		}
		if entry.IsDir() {
			return nil
		}
		content, err := os.ReadFile(path)
		for line := range strings.Lines(string(content)) {
			if line = strings.TrimSpace(line); len(line) > 40 && strings.Contains(log, line) {
				t.Error("what is kept is in the log")
			}
		}
		keys += strings.Count(string(content), "PRIVATE KEY-----\n") / 2
		return err
	})
	if err != nil || keys < 3 {
		t.Errorf("%d keys, %v: want that of the account and of two names", keys, err)
	}
}

// An authority that does not answer holds up neither start nor stop.
func TestAuthorityThatDoesNotAnswer(t *testing.T) {
	authority, log := testacme.Start(t), &buffer{}
	s := certified(t, authority, t.TempDir(), log) // lets wait
	plain := *s
	plain.Scheme, plain.Addr = "http", s.Inner.RedirectAddr().String()
	if answer := plain.Do(t, http.MethodGet, "/.well-known/acme-challenge/x", nil, nil); answer.Status != http.StatusForbidden {
		t.Errorf("a challenge for another name: %d", answer.Status)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the log: %s", log.String())
	}
}

// Why there is no certificate is in the log, in words that say what to do.
func TestAuthorityThatCannotReachTheServer(t *testing.T) {
	authority, log := testacme.Start(t), &buffer{}
	certified(t, authority, t.TempDir(), log)
	authority.Look(1, 1)
	waitFor(t, "the log to say why", func() bool {
		text := log.String()
		return strings.Contains(text, "its address must lead here") && strings.Contains(text, "name=chat.example.org") &&
			strings.Contains(text, "the authority says: tls-alpn-01: Failed to connect to 127.0.0.1:1")
	})
}

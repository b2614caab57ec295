// Package testserver runs the whole server inside a test, over real sockets on loopback.
package testserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/server"
	"github.com/letterlock/letterlock/internal/testdb"
)

// Options say what differs from a plain start. The zero value is a server over a new embedded database.
type Options struct {
	// DB is an open store to run over; it stays the caller's.
	DB *database.DB
	// DataDir is where the embedded database lies; default a new directory. A second server over it is a restart.
	DataDir string
	// Addr is where to listen; default a free port.
	Addr           string
	PublicURLs     []string
	AllowedOrigins []string
	TrustedProxies []string
	// MetricsAddr is where to serve metrics; default nowhere.
	MetricsAddr string
	// TLS is where certificates come from, Roots what a test trusts, and HTTPRedirect where to lead from plain HTTP.
	TLS          certs.Options
	Roots        *x509.CertPool
	HTTPRedirect string
	// NATS is where the node meets others.
	NATS string
	// App and Playground are the built files of the web client and the playground; default none, as if nobody had built them.
	App, Playground fs.FS
	// NoIntrospection and PersistedOnly are those of the configuration.
	NoIntrospection bool
	PersistedOnly   []string
	// Registration is who may register; default everybody.
	Registration invites.Registration
	// Limits changes the limits.
	Limits func(*limits.Limits)
	Log    *slog.Logger
	Now    func() time.Time
}

// Server is a server that runs until the test ends or Stop is called.
type Server struct {
	// URL is the server's origin, like http://localhost:12345: what tokens name.
	URL string
	// GraphQL and WebSocket are the URLs of the API.
	GraphQL, WebSocket string
	// Addr is the listening address, and Scheme what is spoken there: http or https.
	Addr, Scheme string
	// Roots is what a test trusts, as the server's options say.
	Roots *x509.CertPool
	// Inner is the server itself.
	Inner *server.Server

	stop context.CancelFunc
	done chan struct{}
	err  error
}

// Start starts a server.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	config := server.Config{
		Addr: o.Addr, PublicURLs: o.PublicURLs, AllowedOrigins: o.AllowedOrigins, MetricsAddr: o.MetricsAddr, Open: o.DB,
		Database: database.Config{DataDir: o.DataDir}, Limits: limits.Default(), Version: "test", Log: o.Log, Now: o.Now,
		NoIntrospection: o.NoIntrospection, PersistedOnly: o.PersistedOnly,
		TrustedProxies: o.TrustedProxies, Registration: o.Registration, NATS: server.NATS{URL: o.NATS}, App: o.App, Playground: o.Playground,
		TLS: o.TLS, HTTPRedirect: o.HTTPRedirect,
	}
	if o.Addr == "" {
		config.Addr = "127.0.0.1:0"
	}
	if o.DB == nil && o.DataDir == "" {
		config.Database = testdb.Migrated(t, database.SQLite)
	}
	if o.Limits != nil {
		o.Limits(&config.Limits)
	}
	inner, err := server.New(t.Context(), config)
	if err != nil {
		t.Fatalf("start the server: %v", err)
	}
	s := &Server{Inner: inner, Addr: inner.Addr().String(), Scheme: "http", Roots: o.Roots, done: make(chan struct{})}
	if o.TLS.Wanted() {
		s.Scheme = "https"
	}
	s.URL = inner.Origins()[0]
	base := "://" + s.Addr
	if len(o.PublicURLs) == 0 {
		base = s.URL[strings.Index(s.URL, "://"):]
	}
	s.GraphQL, s.WebSocket = s.Scheme+base+"/graphql", "ws"+strings.TrimPrefix(s.Scheme, "http")+base+"/graphql"
	serving, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() {
		defer close(s.done)
		defer stop()
		s.err = inner.Serve(serving)
	}()
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	return s
}

// Trust is how a client speaks TLS with the server.
func (s *Server) Trust() *tls.Config {
	return &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
}

// transport is a new one, with connections of its own. Where the server speaks TLS it speaks HTTP/2.
func (s *Server) transport() *http.Transport {
	return &http.Transport{TLSClientConfig: s.Trust(), ForceAttemptHTTP2: true}
}

// Stop stops the server in order and waits until it has ended. Calling it again gives the same.
func (s *Server) Stop() error {
	s.stop()
	<-s.done
	return s.err
}

package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/origins"
)

func (c *Config) validateTLS() error {
	if err := c.TLS.Validate(); err != nil {
		return err
	}
	if c.HTTPRedirect != "" {
		if _, _, err := net.SplitHostPort(c.HTTPRedirect); err != nil {
			return fmt.Errorf("LETTERLOCK_HTTP_REDIRECT: %q is not host:port, like :80", c.HTTPRedirect)
		}
		if !c.TLS.Wanted() {
			return errors.New("LETTERLOCK_HTTP_REDIRECT leads to https, for which LETTERLOCK_TLS_CERT or LETTERLOCK_TLS_DOMAIN has to be set")
		}
	}
	for _, text := range c.PublicURLs {
		if c.TLS.Wanted() && !strings.HasPrefix(strings.ToLower(text), "https:") {
			return fmt.Errorf("LETTERLOCK_PUBLIC_URL: %q does not lead here, where only https is spoken", text)
		}
	}
	return nil
}

// policy makes the policy of a server that listens on an address. Names that are certified are names that clients know the
// server by, unless the operator says otherwise.
func (c *Config) policy(listening net.Addr) (*origins.Policy, error) {
	scheme, public := "http", c.PublicURLs
	if c.TLS.Wanted() {
		scheme = "https"
	}
	if len(public) == 0 && len(c.TLS.Domains) > 0 {
		_, port, err := net.SplitHostPort(listening.String())
		if err != nil {
			return nil, fmt.Errorf("listening address %s: %w", listening, err)
		}
		for _, domain := range c.TLS.Domains {
			public = append(public, "https://"+net.JoinHostPort(domain, port))
		}
	}
	return origins.New(scheme, listening, public, c.AllowedOrigins)
}

// overTLSAlone has browsers come back over TLS alone, for a year. Names of one's own machine are shared with all that is tried out
// there, and are left alone.
func (s *Server) overTLSAlone(next http.Handler) http.Handler {
	if s.certificates == nil || s.origins.Loopback() {
		return next
	}
	value := []string{"max-age=31536000"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Strict-Transport-Security"] = value
		next.ServeHTTP(w, r)
	})
}

// secure has the HTTP server speak TLS. net/http bounds the handshake by ReadHeaderTimeout.
func secure(server *http.Server, certificates certs.Source, l limits.Limits) {
	server.TLSConfig = certificates.Config()
	// What net/http has for connections of HTTP/1 it has for the streams of HTTP/2: the connection under them is bounded here.
	server.HTTP2 = &http.HTTP2Config{
		SendPingTimeout: l.PingInterval * 5 / 2, PingTimeout: l.WriteTimeout, WriteByteTimeout: l.WriteTimeout,
	}
}

// serve answers until the HTTP server is shut down.
func (s *Server) serve() error {
	l := s.bounded(s.listener, s.config.Limits.MaxSockets+s.config.Limits.MaxConnections)
	if s.certificates == nil {
		return s.http.Serve(l)
	}
	return s.http.ServeTLS(l, "", "")
}

// certificateDays is for the metrics: how long the certificates last; 0 if one is missing or has expired.
func (s *Server) certificateDays() float64 {
	return max(0, s.certificates.Expiry().Sub(s.config.Now()).Hours()/24)
}

// RedirectAddr is where the server sends those on who come over plain HTTP; nil if it does not.
func (s *Server) RedirectAddr() net.Addr { return s.redirect.addr() }

// redirecting is the HTTP server for that.
func (s *Server) redirecting() *http.Server {
	server := s.sideServer(s.certificates.Challenges(redirectTo(s.origins.Own())))
	server.ReadTimeout, server.WriteTimeout, server.IdleTimeout = 10*time.Second, 10*time.Second, 10*time.Second
	return server
}

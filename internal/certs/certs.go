// Package certs gives the server its certificates for TLS: a pair of files that somebody else renews, or those of an
// authority that speaks ACME (RFC 8555). No error and no log line of it holds a key.
package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// lookEvery is how often is looked whether there is a new certificate.
	lookEvery = 10 * time.Second
	// late is how long before its end a certificate should have been renewed, if it was made for longer than a few weeks.
	late = 14 * 24 * time.Hour
)

// Source gives certificates.
type Source interface {
	// Config is how a listener is to speak TLS.
	Config() *tls.Config
	// Keep looks after the certificates until ctx ends.
	Keep(ctx context.Context)
	// Expiry is when the first of the certificates expires; zero while one is missing.
	Expiry() time.Time
	// Challenges answers what an authority asks over plain HTTP, and leaves all else to next.
	Challenges(next http.Handler) http.Handler
}

// Options say where certificates come from. The zero value is that there are none.
type Options struct {
	// Cert and Key are the files of one certificate, with those of its authorities behind it, and of its key.
	Cert, Key string
	// Domains are the names that an authority is to certify.
	Domains []string
	// Email is what the authority is told of whom to write to; it may be empty.
	Email string
	// Directory is the authority's URL; default Let's Encrypt.
	Directory string
	// CA is a file with the certificates to check the authority's own by; empty: those of the system.
	CA string
	// Cache is the directory that keeps what the authority has certified, and keys.
	Cache string
	// Every is how often is looked for new certificates; default 10 seconds.
	Every time.Duration
}

// Wanted reports whether there are to be certificates.
func (o Options) Wanted() bool { return o.Cert != "" || o.Key != "" || len(o.Domains) > 0 }

// Validate refuses what can't work, without looking at files. The errors name the variable to set.
func (o Options) Validate() error {
	switch {
	case (o.Cert == "") != (o.Key == ""):
		return errors.New("LETTERLOCK_TLS_CERT and LETTERLOCK_TLS_KEY belong together: set both, or none")
	case o.Cert != "" && len(o.Domains) > 0:
		return errors.New("LETTERLOCK_TLS_CERT and LETTERLOCK_TLS_DOMAIN exclude each other: the certificate is yours, or an authority's by ACME")
	case len(o.Domains) == 0 && (o.Email != "" || o.Directory != "" || o.CA != ""):
		return errors.New("LETTERLOCK_TLS_EMAIL, LETTERLOCK_ACME_DIRECTORY and LETTERLOCK_ACME_CA mean nothing without LETTERLOCK_TLS_DOMAIN")
	}
	for _, domain := range o.Domains {
		if !isDomain(domain) {
			return fmt.Errorf("LETTERLOCK_TLS_DOMAIN: %q is not a name that an authority certifies, like chat.example.org", domain)
		}
	}
	if u, err := url.Parse(o.Directory); o.Directory != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("LETTERLOCK_ACME_DIRECTORY: %q is not an https URL", o.Directory)
	}
	return nil
}

// isDomain accepts names of at least two labels, in the letters that DNS has.
func isDomain(name string) bool {
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label ||
			strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return len(labels) > 1 && len(name) <= 253 && strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// Open opens the source that the options ask for; nil if they ask for none.
func Open(o Options, log *slog.Logger, now func() time.Time) (Source, error) {
	if o.Every <= 0 {
		o.Every = lookEvery
	}
	switch {
	case o.Cert != "":
		return openPair(o, log, now)
	case len(o.Domains) > 0:
		return openAuthority(o, log, now)
	default:
		return nil, nil //nolint:nilnil // no certificates are no error
	}
}

// config is what all sources have in common. Cipher suites, curves and versions above are Go's choice, which is kept up to date.
func config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error), protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     append([]string{"h2", "http/1.1"}, protocols...),
		GetCertificate: get,
	}
}

// Late reports whether a certificate should have been renewed by now: two weeks before its end, or in the last quarter of
// a short life.
func Late(leaf *x509.Certificate, now time.Time) bool {
	return leaf.NotAfter.Sub(now) < min(late, leaf.NotAfter.Sub(leaf.NotBefore)/4)
}

// Timely refuses a certificate that is not valid at this time.
func Timely(leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate has expired on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate is valid from %s on, and here it is %s", leaf.NotBefore.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// maxFile bounds a file of certificates.
const maxFile = 1 << 20

// pair is a certificate with its key in files that somebody else renews.
type pair struct {
	options Options
	log     *slog.Logger
	now     func() time.Time
	current atomic.Pointer[tls.Certificate]
	remind  reminder

	trouble string // what was wrong with the files when they were looked at last
	told    bool   // whether the log has it
}

func openPair(o Options, log *slog.Logger, now func() time.Time) (*pair, error) {
	certificate, err := Load(o.Cert, o.Key)
	if err != nil {
		return nil, err
	}
	p := &pair{options: o, log: log, now: now, remind: reminder{log: log, now: now}}
	p.current.Store(certificate)
	return p, nil
}

// Load reads a certificate and its key.
func Load(certFile, keyFile string) (*tls.Certificate, error) {
	cert, err := readFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("LETTERLOCK_TLS_CERT: %w", err)
	}
	key, err := readFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("LETTERLOCK_TLS_KEY: %w", err)
	}
	if bytes.Contains(key, []byte("ENCRYPTED")) {
		return nil, fmt.Errorf("LETTERLOCK_TLS_KEY: %s is locked by a passphrase; the server needs the key without one", keyFile)
	}
	certificate, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("LETTERLOCK_TLS_CERT and LETTERLOCK_TLS_KEY: %s and %s: %w", certFile, keyFile, err)
	}
	return &certificate, nil
}

func readFile(name string) (content []byte, err error) {
	file, err := os.Open(name) // #nosec G304 -- a file that the operator names
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	content, err = io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("%s is longer than any certificate", name)
	}
	return content, err
}

// Config is how a listener is to speak TLS.
func (p *pair) Config() *tls.Config {
	return config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.current.Load(), nil })
}

// Keep looks for renewed files until ctx ends. It reads them instead of trusting their times, which tools that renew
// certificates set as they like.
func (p *pair) Keep(ctx context.Context) {
	ticker := time.NewTicker(p.options.Every)
	defer ticker.Stop()
	for {
		p.remind.about(ctx, p.current.Load().Leaf)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		p.look(ctx)
	}
}

func (p *pair) look(ctx context.Context) {
	old := p.current.Load()
	certificate, err := Load(p.options.Cert, p.options.Key)
	if err == nil && slices.EqualFunc(certificate.Certificate, old.Certificate, bytes.Equal) {
		p.trouble = ""
		return
	}
	if err == nil {
		err = Timely(certificate.Leaf, p.now())
	}
	if err != nil {
		p.complain(ctx, err)
		return
	}
	p.trouble = ""
	p.current.Store(certificate)
	p.log.InfoContext(ctx, "the certificate was renewed", "expires", certificate.Leaf.NotAfter.UTC())
}

// complain tells of trouble once, when it is there for the second time: files that are just being written do not fit together.
func (p *pair) complain(ctx context.Context, err error) {
	if p.trouble != err.Error() {
		p.trouble, p.told = err.Error(), false
		return
	}
	if !p.told {
		p.told = true
		p.log.ErrorContext(ctx, "the new certificate can't be used, and the old one stays: put the files right, the server looks again by itself",
			"error", err, "expires", p.current.Load().Leaf.NotAfter.UTC())
	}
}

// Expiry is when the certificate in use expires.
func (p *pair) Expiry() time.Time { return p.current.Load().Leaf.NotAfter }

// Challenges leaves all to next: nobody asks.
func (p *pair) Challenges(next http.Handler) http.Handler { return next }

package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

const (
	// askTimeout bounds each question to the authority.
	askTimeout = 30 * time.Second
	// An authority that has refused counts how often it is asked: Let's Encrypt takes five failures an hour for one name.
	firstRetry, lastRetry = 2 * time.Minute, 30 * time.Minute
)

// authority has names certified, before the first client asks and again when two thirds of the time are over.
type authority struct {
	domains []string // the first is for clients that name none
	every   time.Duration
	manager *autocert.Manager
	log     *slog.Logger
	end     context.CancelFunc // no question is asked any more
	reminds map[string]*reminder
	reasons *verdicts

	mu     sync.Mutex
	leaves map[string]*x509.Certificate
}

func openAuthority(o Options, log *slog.Logger, now func() time.Time) (*authority, error) {
	a := &authority{every: o.Every, log: log, leaves: map[string]*x509.Certificate{}, reminds: map[string]*reminder{}, reasons: &verdicts{}}
	for _, domain := range o.Domains {
		domain = strings.ToLower(domain)
		if slices.Contains(a.domains, domain) {
			continue
		}
		a.domains = append(a.domains, domain)
		a.reminds[domain] = &reminder{log: log, now: now}
	}
	if err := private(o.Cache); err != nil {
		return nil, fmt.Errorf("the directory for certificates, in LETTERLOCK_DATA_DIR: %w", err)
	}
	ctx, end := context.WithCancel(context.Background())
	client, err := o.client(ctx, a.reasons)
	if err != nil {
		end()
		return nil, err
	}
	a.end = end
	a.manager = &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(o.Cache), HostPolicy: a.mine, Client: client, Email: o.Email,
	}
	return a, nil
}

// private makes a directory, or an old one, the server's alone.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // a directory needs x
}

// client speaks with the authority until ctx ends.
func (o Options) client(ctx context.Context, reasons *verdicts) (*acme.Client, error) {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: askTimeout, IdleConnTimeout: askTimeout,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if o.CA != "" {
		text, err := readFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("LETTERLOCK_ACME_CA: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("LETTERLOCK_ACME_CA: %s holds no certificate as PEM", o.CA)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	directory := o.Directory
	if directory == "" {
		directory = acme.LetsEncryptURL
	}
	return &acme.Client{
		DirectoryURL: directory, UserAgent: "letterlock",
		HTTPClient: &http.Client{Transport: until{ctx, transport, reasons}, Timeout: askTimeout},
	}, nil
}

// Reach asks the authority whether it is there.
func Reach(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := o.client(ctx, &verdicts{})
	if err != nil {
		return err
	}
	_, err = client.Discover(ctx)
	return err
}

// Config is how a listener is to speak TLS: to the authority as well, which asks by a protocol of its own.
func (a *authority) Config() *tls.Config { return config(a.get, acme.ALPNProto) }

// get gives what Keep has had certified. A client never has the authority asked, and never waits for it.
func (a *authority) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return a.manager.GetCertificate(hello)
	}
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if name == "" {
		name = a.domains[0]
	}
	if a.leaf(name) == nil {
		return nil, errors.New("there is no certificate for the name that the client asks for")
	}
	return a.manager.GetCertificate(asksFor(name))
}

// asksFor is a client that takes the kind of certificate that all have taken for ten years. There is one for each name then.
func asksFor(name string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
}

func (a *authority) leaf(name string) *x509.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.leaves[name]
}

// mine is the manager's policy: nobody else's names are certified. A port comes from those who ask over plain HTTP.
func (a *authority) mine(_ context.Context, host string) error {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !slices.Contains(a.domains, strings.ToLower(strings.TrimSuffix(host, "."))) {
		return errors.New("this server does not go by that name")
	}
	return nil
}

// Keep has the names certified, and notices when the manager has renewed what it holds, until ctx ends.
func (a *authority) Keep(ctx context.Context) {
	defer a.end()
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval, retry.Multiplier = firstRetry, lastRetry, 2
	for {
		wait := a.every
		if a.look(ctx) {
			retry.Reset()
		} else {
			wait = retry.NextBackOff()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// look reports whether there is a certificate for each name.
func (a *authority) look(ctx context.Context) bool {
	all := true
	for _, domain := range a.domains {
		leaf, err := a.obtain(ctx, domain)
		switch {
		case ctx.Err() != nil:
			return false
		case err != nil:
			all = false
			err = because(err, a.reasons.of(domain))
			a.log.ErrorContext(ctx, "there is no certificate, and clients can't connect by this name: its address must lead here, "+
				"on port 443 or, with LETTERLOCK_HTTP_REDIRECT, on port 80; it is tried again", "name", domain, "error", err)
		default:
			a.note(ctx, domain, leaf)
		}
	}
	return all
}

// obtain gives the leaf of a name's certificate, a new one if there is none. The manager can't be stopped, so that it is
// left behind when ctx ends: it fails with its next question.
func (a *authority) obtain(ctx context.Context, domain string) (*x509.Certificate, error) {
	type outcome struct {
		certificate *tls.Certificate
		err         error
	}
	done := make(chan outcome, 1)
	go func() {
		certificate, err := a.manager.GetCertificate(asksFor(domain))
		done <- outcome{certificate, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return o.certificate.Leaf, nil
	}
}

func (a *authority) note(ctx context.Context, domain string, leaf *x509.Certificate) {
	a.mu.Lock()
	old := a.leaves[domain]
	a.leaves[domain] = leaf
	a.mu.Unlock()
	if old == nil || !old.Equal(leaf) {
		a.log.InfoContext(ctx, "there is a certificate", "name", domain, "expires", leaf.NotAfter.UTC())
	}
	a.reminds[domain].about(ctx, leaf)
}

// Expiry is when the first of the certificates expires; zero while one is missing.
func (a *authority) Expiry() (first time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.leaves) < len(a.domains) {
		return time.Time{}
	}
	for _, leaf := range a.leaves {
		if first.IsZero() || leaf.NotAfter.Before(first) {
			first = leaf.NotAfter
		}
	}
	return first
}

// Challenges answers what the authority asks over plain HTTP. Without a call of it the authority is asked to look at the
// TLS address alone.
func (a *authority) Challenges(next http.Handler) http.Handler { return a.manager.HTTPHandler(next) }

// until sends requests until ctx ends.
type until struct {
	ctx  context.Context //nolint:containedctx // lives as long as the client
	next http.RoundTripper
	told *verdicts // of each answer
}

// RoundTrip sends a request.
func (u until) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(u.ctx, cancel)
	response, err := u.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	response.Body = &released{response.Body, func() { stop(); cancel() }}
	u.told.listen(response)
	return response, nil
}

// released is a body that does something when it is closed.
type released struct {
	io.ReadCloser
	release func()
}

// Close closes the body.
func (b *released) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

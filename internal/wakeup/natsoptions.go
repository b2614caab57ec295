package wakeup

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/time/rate"
)

// How the connection is kept.
const (
	connectTimeout = 2 * time.Second
	// A connection over which nothing comes is given up after three intervals.
	natsPing     = 5 * time.Second
	natsMaxPings = 2
	// A server that takes no bytes for so long is given up.
	natsWrite = 2 * time.Second
	// Once all servers were tried, the next round waits for so long, and as much again by chance.
	natsWait = time.Second
)

// removedSubject is behind the prefix, where the others have 27 characters.
const removedSubject = "removed"

// subjectPrefix keeps stores on one NATS apart.
func subjectPrefix(store int64) string {
	return fmt.Sprintf("letterlock.%016x.", uint64(store)) // #nosec G115 -- the same bits
}

// NATSOptions say where NATS is.
type NATSOptions struct {
	// URL is nats://host:4222 or tls://host:4222, or several with commas between; a user and password or a token may stand
	// before the host.
	URL string
	// CA is a file with the certificates that NATS' own is checked by; empty: those of the system.
	CA string
	// Credentials is a .creds file; empty: what the URL holds.
	Credentials string
	// Store is the epoch of the store, which every node of it has.
	Store int64
	Log   *slog.Logger
}

// connect connects, or leaves it to the connection to try again. Errors do not show the URL: it may hold a password.
func (o NATSOptions) connect() (*nats.Conn, error) {
	if err := o.checkURL(); err != nil {
		return nil, err
	}
	complain := &rate.Sometimes{First: 1, Interval: time.Minute}
	options := []nats.Option{
		nats.Name("letterlock"), nats.NoEcho(),
		nats.Timeout(connectTimeout), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(natsWait), nats.ReconnectJitter(natsWait, natsWait),
		nats.PingInterval(natsPing), nats.MaxPingsOutstanding(natsMaxPings), nats.FlusherTimeout(natsWrite),
		nats.ReconnectBufSize(-1), // hints that are late are worth nothing
		nats.ConnectHandler(o.connected), nats.ReconnectHandler(o.connected),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				o.Log.Warn("lost the connection to NATS: messages from other nodes are found when looking again", "error", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			complain.Do(func() { o.Log.Warn("NATS", "error", plainly(err)) })
		}),
	}
	if o.CA != "" {
		pool, err := certificates(o.CA)
		if err != nil {
			return nil, err
		}
		options = append(options, nats.Secure(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}))
	}
	if o.Credentials != "" {
		if err := checkCredentials(o.Credentials); err != nil {
			return nil, err
		}
		options = append(options, nats.UserCredentials(o.Credentials))
	}
	conn, err := nats.Connect(o.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("LETTERLOCK_NATS: %w", err)
	}
	if !conn.IsConnected() {
		o.Log.Warn("NATS is not there: messages from other nodes are found when looking again", "error", conn.LastError())
	}
	return conn, nil
}

func (o NATSOptions) connected(conn *nats.Conn) {
	o.Log.Info("connected to NATS", "server", conn.ConnectedUrlRedacted())
}

func (o NATSOptions) checkURL() error {
	for part := range strings.SplitSeq(o.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return errors.New("LETTERLOCK_NATS must be like nats://host:4222 or tls://user:password@host:4222, or several with commas between")
		}
	}
	return nil
}

func certificates(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file) // #nosec G304 -- the operator names it
	if err != nil {
		return nil, fmt.Errorf("LETTERLOCK_NATS_CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("LETTERLOCK_NATS_CA: %s holds no certificate", file)
	}
	return pool, nil
}

// plainly leaves subjects out, which name devices.
func plainly(err error) error {
	if errors.Is(err, nats.ErrPermissionViolation) {
		return nats.ErrPermissionViolation
	}
	return err
}

// checkCredentials refuses what is no .creds file. It is read again for each connection, so that it can be renewed.
func checkCredentials(file string) error {
	text, err := os.ReadFile(file) // #nosec G304 -- the operator names it
	if err != nil {
		return fmt.Errorf("LETTERLOCK_NATS_CREDS: %w", err)
	}
	if !bytes.Contains(text, []byte("BEGIN NATS USER JWT")) {
		return fmt.Errorf("LETTERLOCK_NATS_CREDS: %s holds no credentials of NATS", file)
	}
	return nil
}

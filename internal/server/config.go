package server

import (
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"time"

	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/limits"
)

// Config is what a server is told. Database or Open says where the data lies.
type Config struct {
	// Addr is host:port to listen on.
	Addr string
	// PublicURLs are the URLs that clients know the server by. On loopback it needs none.
	PublicURLs []string
	// AllowedOrigins are the origins of further pages that may call the server.
	AllowedOrigins []string
	// TrustedProxies are the addresses and networks whose X-Forwarded-For is believed.
	TrustedProxies []string
	// MetricsAddr is host:port to serve metrics and profiles on; empty for nowhere.
	MetricsAddr string
	// TLS is where certificates come from. Without any the server speaks plain HTTP, and TLS is a proxy's.
	TLS certs.Options
	// HTTPRedirect is host:port to send those on who come over plain HTTP; empty for nowhere. Only with TLS.
	HTTPRedirect string
	Database     database.Config
	// Open is a store that is open already and stays the caller's; Database is then unused.
	Open *database.DB
	// NATS is for several nodes on one database; without a URL this node is alone.
	NATS   NATS
	Limits limits.Limits
	// NoIntrospection refuses questions about the schema, and leaves suggestions out of errors.
	NoIntrospection bool
	// PersistedOnly are files with the operations that are allowed, besides those of App; without any, all are. `web` stands for no file.
	PersistedOnly []string
	// Registration is who may register; by default everybody.
	Registration invites.Registration
	Version      string
	// App and Playground are the built files of the web client and the playground; nil where they were not built.
	App, Playground fs.FS
	Log             *slog.Logger
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// NATS says where the nodes meet.
type NATS struct {
	// URL is as nats://user:password@host:4222, or several with commas between.
	URL string
	// CA is a file with the certificates to check NATS' own by; empty: those of the system.
	CA string
	// Credentials is a .creds file; empty: what the URL holds.
	Credentials string
}

// validate refuses a configuration before anything is opened. The errors name the variable to set.
func (c *Config) validate() error {
	if err := c.Limits.Validate(); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return fmt.Errorf("LETTERLOCK_ADDR: %q is not host:port, like 127.0.0.1:8080", c.Addr)
	}
	if c.MetricsAddr != "" {
		if _, _, err := net.SplitHostPort(c.MetricsAddr); err != nil {
			return fmt.Errorf("LETTERLOCK_METRICS_ADDR: %q is not host:port, like 127.0.0.1:9090", c.MetricsAddr)
		}
	}
	if err := c.validateTLS(); err != nil {
		return err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Command letterlock is the server: end-to-end encrypted messaging behind a GraphQL API. It stores sealed envelopes and
// public keys, and links no code that could open one.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/check"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/memory"
	"github.com/letterlock/letterlock/internal/server"
	"github.com/letterlock/letterlock/web"
)

// cli is the command line. The environment variable of a flag is its name in capitals behind LETTERLOCK_.
type cli struct {
	Database  string `placeholder:"URL" help:"PostgreSQL, as postgres://user@host/name; better given by the variable, since it may hold a password. Without it: an embedded database in the data directory."`
	DataDir   string `default:"letterlock-data" type:"path" help:"The directory of the embedded database."`
	LogLevel  string `default:"info" enum:"debug,info,warn,error" help:"How much to log: debug, info, warn or error."`
	LogFormat string `default:"text" enum:"text,json" help:"How to log: text or json."`

	Serve      serveCommand      `cmd:"" default:"withargs" help:"Run the server. This is what happens without a command."`
	Version    versionCommand    `cmd:"" help:"Print the version, what it was built from, and the hashes of what it serves to browsers."`
	Check      checkCommand      `cmd:"" help:"Look settings and database over, and say in words what is wrong. It changes nothing; the server may run meanwhile. Takes the flags of serve."`
	Backup     backupCommand     `cmd:"" help:"Copy the embedded database into a new file, as it is at one moment. The server may run meanwhile."`
	Invite     inviteCommand     `cmd:"" help:"Print codes by which new users may register, each once, where --registration is invite. The server may run meanwhile."`
	RenewEpoch renewEpochCommand `cmd:"" help:"Make all cursors invalid. Run this once after the database was restored from a backup, or a replica was promoted, before the server starts: clients then start over instead of passing by what the new store has under old positions. Nothing is deleted; clients drop what they know."`
}

type serveCommand struct {
	Addr           string        `default:"127.0.0.1:8080" help:"The address to listen on. One that others can reach needs --public-url."`
	PublicURL      []string      `placeholder:"URL" help:"The URL that clients know the server by, or several with commas between: what device tokens must name. Not needed on loopback."`
	AllowedOrigins []string      `placeholder:"ORIGIN" help:"Origins of further web pages that may call the server, with commas between."`
	Registration   string        `default:"open" enum:"open,invite,closed" help:"Who may register: open for everybody, invite for who has a code of letterlock invite, closed for nobody."`
	Introspection  bool          `default:"true" negatable:"" help:"Whether anybody may ask for the schema, and is told of similar names when one is wrong. The playground needs it."`
	PersistedOnly  []string      `placeholder:"FILE" help:"Allow only the operations of these files, with commas between, and of the server's own web client: persisted query manifests of Apollo's form, or operations that genqlient has exported. web is the web client alone."`
	TrustedProxies []string      `placeholder:"NETWORK" help:"Addresses and networks of proxies, like 10.1.0.0/16, with commas between, whose X-Forwarded-For says where a request comes from."`
	MetricsAddr    string        `placeholder:"ADDRESS" help:"The address to serve Prometheus metrics and Go's profiles on, like 127.0.0.1:9090. Keep it private. Without it they are served nowhere."`
	TLSCert        string        `name:"tls-cert" placeholder:"FILE" type:"path" help:"A certificate, with those of its authorities behind it, as PEM: the server then speaks TLS itself. A renewed one is taken without a restart."`
	TLSKey         string        `name:"tls-key" placeholder:"FILE" type:"path" help:"The certificate's key, as PEM, without a passphrase."`
	TLSDomain      []string      `name:"tls-domain" placeholder:"NAME" help:"Names that an authority certifies by ACME, with commas between, instead of a certificate of one's own: the server then speaks TLS itself, and you agree to the authority's terms. It keeps keys in certificates, in the data directory."`
	TLSEmail       string        `name:"tls-email" placeholder:"ADDRESS" help:"Where the authority may write to about certificates."`
	ACMEDirectory  string        `name:"acme-directory" placeholder:"URL" help:"The authority; by default Let's Encrypt."`
	ACMECA         string        `name:"acme-ca" placeholder:"FILE" type:"path" help:"Certificates that the authority's own is checked by, as PEM; by default those of the system."`
	HTTPRedirect   string        `name:"http-redirect" placeholder:"ADDRESS" help:"The address, like :80, to send browsers on to https from, and to answer an authority on. Needs --tls-cert or --tls-domain."`
	NATS           string        `name:"nats" placeholder:"URL" help:"NATS, where several nodes on one PostgreSQL tell each other of messages: as nats://user:password@host:4222, or several with commas between; better given by the variable, since it may hold a password."`
	NATSCA         string        `name:"nats-ca" placeholder:"FILE" type:"path" help:"Certificates that those of NATS are checked by, as PEM; by default those of the system."`
	NATSCreds      string        `name:"nats-creds" placeholder:"FILE" type:"path" help:"Credentials for NATS, a .creds file, in place of those in the URL."`
	Limits         limits.Limits `embed:""`
	Hints          bool          `hidden:"" help:"Print lines to try after the start."`
}

type (
	versionCommand struct {
		Web bool `env:"-" help:"Print the SHA-256 hash of every file for browsers instead, as sha256sum --check reads them."`
	}
	checkCommand struct {
		Settings serveCommand `embed:""`
	}
	backupCommand struct {
		File string `arg:"" type:"path" help:"Where to; it must not be there yet."`
	}
	inviteCommand struct {
		Count    int           `default:"1" env:"-" help:"How many to make, 1 to 1000."`
		Lifetime time.Duration `default:"168h" env:"-" help:"How long they are good for."`
	}
	renewEpochCommand struct{}
)

func main() {
	var c cli
	parsed := kong.Parse(&c, options()...)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.FatalIfErrorf(parsed.Run(&c))
}

func options() []kong.Option {
	return []kong.Option{
		kong.Name("letterlock"),
		kong.Description("The Letterlock server: end-to-end encrypted messaging behind a GraphQL API. Every flag can be given by the environment as well; docs/operating.md explains."),
		kong.DefaultEnvars("LETTERLOCK"),
		kong.ShortUsageOnError(),
	}
}

// Run serves until the process is told to stop.
func (s *serveCommand) Run(ctx context.Context, c *cli) error {
	log := c.logger()
	defer memory.Keep().Stop()
	running, err := server.New(ctx, s.config(c, log))
	if err != nil {
		return err
	}
	log.Info("serving", "url", running.Origins()[0], "listening", running.Addr().String(), "store", running.Store(), "version", version())
	if addr := running.MetricsAddr(); addr != nil {
		log.Info("serving metrics", "listening", addr.String())
	}
	if s.Hints {
		fmt.Print(server.Hints(running.Origins()[0]))
	}
	err = running.Serve(ctx)
	log.Info("stopped")
	return err
}

// config is what the flags say.
func (s *serveCommand) config(c *cli, log *slog.Logger) server.Config {
	return server.Config{
		Addr: s.Addr, PublicURLs: s.PublicURL, AllowedOrigins: s.AllowedOrigins, NoIntrospection: !s.Introspection, PersistedOnly: s.PersistedOnly,
		TrustedProxies: s.TrustedProxies, Registration: invites.Registration(s.Registration),
		MetricsAddr: s.MetricsAddr, HTTPRedirect: s.HTTPRedirect,
		TLS: certs.Options{
			Cert: s.TLSCert, Key: s.TLSKey, Domains: s.TLSDomain, Email: s.TLSEmail, Directory: s.ACMEDirectory, CA: s.ACMECA,
			Cache: filepath.Join(c.DataDir, "certificates"),
		},
		NATS:     server.NATS{URL: s.NATS, CA: s.NATSCA, Credentials: s.NATSCreds},
		Database: c.database(), Limits: s.Limits, Version: version(), Log: log,
		App: web.App(), Playground: web.Playground(),
	}
}

// Run looks everything over and says what it has found.
func (k *checkCommand) Run(ctx context.Context, c *cli) error {
	report := check.Run(ctx, k.Settings.config(c, c.logger()), &http.Client{})
	if err := report.Write(os.Stdout); err != nil {
		return err
	}
	if report.Failed() {
		return errors.New("the server does not work like this; see FAIL above")
	}
	return nil
}

// Run makes a copy.
func (b backupCommand) Run(ctx context.Context, c *cli) error {
	return database.Backup(ctx, c.database(), b.File)
}

// Run renews the store's epoch.
func (renewEpochCommand) Run(ctx context.Context, c *cli) error {
	return c.withDatabase(ctx, func(db *database.DB) error {
		if _, err := db.RenewEpoch(ctx); err != nil {
			return err
		}
		_, err := fmt.Println("All cursors given out so far are invalid now; clients start over by themselves.")
		return err
	})
}

// Run prints new invites.
func (i inviteCommand) Run(ctx context.Context, c *cli) error {
	if i.Count < 1 || i.Count > 1000 {
		return errors.New("--count must be from 1 to 1000")
	}
	return c.withDatabase(ctx, func(db *database.DB) error {
		issuer := invites.New(db, invites.Invite, time.Now)
		for range i.Count {
			code, err := issuer.Issue(ctx, i.Lifetime)
			if err != nil {
				return err
			}
			if _, err := fmt.Println(code); err != nil {
				return err
			}
		}
		return nil
	})
}

// withDatabase opens the database for a command.
func (c *cli) withDatabase(ctx context.Context, do func(*database.DB) error) error {
	db, err := database.Open(ctx, c.database(), c.logger())
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

func (c *cli) database() database.Config {
	return database.Config{URL: c.Database, DataDir: c.DataDir}
}

func (c *cli) logger() *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo // kong takes no other text than the levels' names
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

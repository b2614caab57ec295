// Command letterlock is the server: end-to-end encrypted messaging behind a GraphQL API. It stores sealed envelopes and
// public keys, and links no code that could open one.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/letterlock/letterlock/internal/database"
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
	RenewEpoch renewEpochCommand `cmd:"" help:"Make all cursors invalid. Run this once after the database was restored from a backup, or a replica was promoted, before the server starts: clients then start over instead of passing by what the new store has under old positions. Nothing is deleted; clients drop what they know."`
}

type serveCommand struct {
	Addr           string        `default:"127.0.0.1:8080" help:"The address to listen on. One that others can reach needs --public-url."`
	PublicURL      []string      `placeholder:"URL" help:"The URL that clients know the server by, or several with commas between: what device tokens must name. Not needed on loopback."`
	AllowedOrigins []string      `placeholder:"ORIGIN" help:"Origins of further web pages that may call the server, with commas between."`
	MetricsAddr    string        `placeholder:"ADDRESS" help:"The address to serve Prometheus metrics and Go's profiles on, like 127.0.0.1:9090. Keep it private. Without it they are served nowhere."`
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
	running, err := server.New(ctx, server.Config{
		Addr: s.Addr, PublicURLs: s.PublicURL, AllowedOrigins: s.AllowedOrigins, MetricsAddr: s.MetricsAddr,
		NATS:     server.NATS{URL: s.NATS, CA: s.NATSCA, Credentials: s.NATSCreds},
		Database: c.database(), Limits: s.Limits, Version: version(), Log: log,
		App: web.App(), Playground: web.Playground(),
	})
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

// Run renews the store's epoch.
func (renewEpochCommand) Run(ctx context.Context, c *cli) error {
	db, err := database.Open(ctx, c.database(), c.logger())
	if err != nil {
		return err
	}
	if _, err = db.RenewEpoch(ctx); err == nil {
		_, err = fmt.Println("All cursors given out so far are invalid now; clients start over by themselves.")
	}
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	return err
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

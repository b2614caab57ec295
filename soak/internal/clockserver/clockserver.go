// Package clockserver is the server with a clock that whoever runs it can move. It is the same server but for that: what Go reads the
// time from is not to be moved from outside, other than for the whole machine. It can also be told to make a mistake, which runs have to find.
package clockserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/memory"
	"github.com/letterlock/letterlock/internal/server"
)

// settings are those of the real server that runs need, by the same variables.
type settings struct {
	Addr        string
	PublicURL   []string
	MetricsAddr string
	Database    string
	DataDir     string
	LogLevel    slog.Level    `default:"info"`
	Limits      limits.Limits `embed:""`
}

// Run serves as the environment says until ctx ends. Each line of orders says how far the clock is to be ahead, like 1h or -20s, or is the
// name of a mistake.
func Run(ctx context.Context, orders io.Reader) (err error) {
	var s settings
	parser, err := kong.New(&s, kong.DefaultEnvars("LETTERLOCK"))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(nil); err != nil {
		return err
	}
	defer memory.Keep().Stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: s.LogLevel}))
	db, err := database.Open(ctx, database.Config{URL: s.Database, DataDir: s.DataDir}, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c := new(clock)
	go follow(orders, c, &mistakes{db: db, log: log}, log) // it ends with the process
	running, err := server.New(ctx, server.Config{
		Addr: s.Addr, PublicURLs: s.PublicURL, MetricsAddr: s.MetricsAddr, Open: db,
		Limits: s.Limits, Version: "soak", Log: log, Now: c.now,
	})
	if err != nil {
		return err
	}
	return running.Serve(ctx)
}

// clock is the system's, and so far ahead.
type clock struct{ ahead atomic.Int64 }

// now has no monotonic reading, which would hide a jump: also what has none meets them, as a time that was stored.
func (c *clock) now() time.Time {
	return time.Now().Round(0).Add(time.Duration(c.ahead.Load()))
}

func follow(orders io.Reader, c *clock, m *mistakes, log *slog.Logger) {
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		if m.make(lines.Text()) {
			continue
		}
		ahead, err := time.ParseDuration(lines.Text())
		if err != nil {
			log.Error("the clock cannot be moved", "error", err)
			continue
		}
		c.ahead.Store(int64(ahead))
		log.Info("the clock is moved", "ahead", ahead)
	}
}

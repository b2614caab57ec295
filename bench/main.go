// Command bench tells how fast a Letterlock server is, and what that costs. It starts whole processes, drives them through the
// public API alone, and checks in every run that each accepted envelope arrives exactly once, unchanged and in order: a run that
// loses, doubles or reorders fails, however fast it was. `make bench` runs all of it and renews docs/performance.md.
//
//	bench list                                                          # what can be measured
//	bench live --binary bin/letterlock                                  # on SQLite
//	bench live --binary bin/letterlock --database postgres://…/postgres # and on PostgreSQL, in databases of its own
//	bench live --binary bin/letterlock --base old/letterlock            # against an older server, in turn
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

type cli struct {
	options

	Live     live     `cmd:"" help:"Message after message, over sockets and over HTTP, to live receivers."`
	Many     many     `cmd:"" help:"Many envelopes a call, with live receivers and without."`
	Pair     pair     `cmd:"" help:"One sender, one receiver, no other load: how long until a message is shown."`
	Idle     idle     `cmd:"" help:"Memory of subscriptions on which nothing happens."`
	Storm    storm    `cmd:"" help:"A server is killed and started again, and all its devices come back at once."`
	Delivery delivery `cmd:"" help:"What a delivery on an open subscription costs the server."`
	Backlog  backlog  `cmd:"" help:"A device returns to a full mailbox."`
	Start    start    `cmd:"" help:"From start to first answer, and memory after it."`
	Nodes    nodes    `cmd:"" help:"Several servers on one PostgreSQL, with NATS between them."`
	Soak     soak     `cmd:"" help:"Millions of messages through send and acknowledge: do rate and size stay?"`
	Expiry   expiry   `cmd:"" help:"Millions of messages that nobody receives: do rate and size stay while they expire?"`
	All      all      `cmd:"" help:"Everything but soak and expiry, one after the other."`
	List     list     `cmd:"" help:"Print what can be measured."`
}

// all is every scenario that takes minutes.
type all struct {
	Live     live     `embed:"" prefix:"live-"`
	Many     many     `embed:"" prefix:"many-"`
	Pair     pair     `embed:"" prefix:"pair-"`
	Idle     idle     `embed:"" prefix:"idle-"`
	Storm    storm    `embed:"" prefix:"storm-"`
	Delivery delivery `embed:"" prefix:"delivery-"`
	Backlog  backlog  `embed:"" prefix:"backlog-"`
	Start    start    `embed:"" prefix:"start-"`
	Nodes    nodes    `embed:"" prefix:"nodes-"`
}

type list struct{}

func main() {
	// One thread takes less of the machine than two that look for work in turn, and is far from busy.
	runtime.GOMAXPROCS(1)
	var c cli
	parsed := kong.Parse(&c, kong.Name("bench"), kong.ShortUsageOnError(),
		kong.Description("Measures Letterlock servers through their public API."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.FatalIfErrorf(parsed.Run(&bench{options: c.options, out: os.Stdout, log: os.Stderr}))
}

// Run measures one after the other.
func (a *all) Run(ctx context.Context, b *bench) error {
	for _, scenario := range []interface {
		Run(ctx context.Context, b *bench) error
	}{&a.Live, &a.Nodes, &a.Many, &a.Pair, &a.Idle, &a.Storm, &a.Delivery, &a.Backlog, &a.Start} { // Nodes are compared with live.
		began := time.Now()
		if err := scenario.Run(ctx, b); err != nil {
			return err
		}
		b.note("%T took %v", scenario, time.Since(began).Round(time.Second))
	}
	return nil
}

// Run prints the scenarios as the command line knows them.
func (list) Run(k *kong.Context, b *bench) error {
	for _, command := range k.Model.Children {
		if _, err := fmt.Fprintf(b.out, "%-9s %s\n", command.Name, command.Help); err != nil {
			return err
		}
	}
	return nil
}

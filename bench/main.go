// Command bench drives a Letterlock server through its public API alone and tells how fast it is: it registers senders and
// receivers, opens a live subscription for each receiver, lets every sender send one message after the other, and counts that
// each accepted message arrives exactly once and in order.
//
//	go run ./bench --binary bin/letterlock                                 # SQLite, in a temporary directory
//	go run ./bench --binary bin/letterlock --database postgres://…/bench   # PostgreSQL; the database should be empty
//	go run ./bench --server http://localhost:8080                          # a server that runs already
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	Binary    string        `help:"Server binary to start for each run." xor:"target" required:"" type:"existingfile"`
	Server    string        `help:"URL of a server that runs already." xor:"target" required:""`
	Database  string        `help:"Database for --binary: postgres://… or empty for SQLite in a temporary directory."`
	Label     string        `help:"Name of the row in the table." default:"sqlite"`
	Senders   int           `help:"How many devices send." default:"64"`
	Receivers int           `help:"How many devices receive, each with a live subscription." default:"64"`
	Size      int           `help:"Bytes of ciphertext." default:"256"`
	Duration  time.Duration `help:"How long to send for." default:"10s"`
	Warmup    time.Duration `help:"How long to send before counting." default:"2s"`
	Runs      int           `help:"How many runs; the table shows the median by rate, and the range." default:"1"`
}

func main() {
	var o options
	cli := kong.Parse(&o, kong.Description("Measures a Letterlock server through its public API."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cli.FatalIfErrorf(bench(ctx, o))
}

// bench makes all runs, prints each, then the median as a row of a Markdown table. A run that lost, doubled or
// reordered anything is an error, however fast it was.
func bench(ctx context.Context, o options) error {
	var results []result
	for n := range o.Runs {
		r, err := oneRun(ctx, o)
		if err != nil {
			return fmt.Errorf("run %d: %w", n+1, err)
		}
		fmt.Fprintf(os.Stderr, "run %d: %s\n", n+1, r)
		results = append(results, r)
	}
	slices.SortFunc(results, func(a, b result) int { return int(a.rate() - b.rate()) })
	median := results[len(results)/2]
	fmt.Println(tableHead)
	fmt.Println(median.row(o, results[0].rate(), results[len(results)-1].rate()))
	return nil
}

// oneRun starts a server unless one was named, and measures it.
func oneRun(ctx context.Context, o options) (result, error) {
	if o.Server != "" {
		return measure(ctx, o, o.Server)
	}
	server, err := startServer(ctx, o.Binary, o.Database)
	if err != nil {
		return result{}, err
	}
	defer server.stop()
	r, err := measure(ctx, o, server.url)
	r.serverCPU = server.cpu()
	return r, err
}

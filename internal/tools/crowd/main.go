// Command crowd is many people who write to one, through the SDK, for tests of what has to cope with them:
//
//	go run ./internal/tools/crowd --server URL --to USER [--users 50] [--messages 1]
//
// It prints a line for each user, their id, when all that they wrote is on the server's disk. Message m of user n, both from 1,
// reads "n.m". Homes are temporary: nobody answers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/letterlock/letterlock/client"
)

// atOnce bounds how many write at the same time.
const atOnce = 4

type order struct {
	server          string
	to              client.UserID
	users, messages int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "crowd:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	homes, err := os.MkdirTemp("", "letterlock-crowd-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(homes)) }()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for n := 1; n <= o.users; n++ {
		group.Go(func() error {
			id, err := o.write(ctx, filepath.Join(homes, strconv.Itoa(n)), n)
			if err == nil {
				_, err = fmt.Println(id)
			}
			return err
		})
	}
	return group.Wait()
}

func parse(args []string) (o order, err error) {
	flags := flag.NewFlagSet("crowd", flag.ContinueOnError)
	flags.StringVar(&o.server, "server", client.DefaultServer, "the server's URL")
	flags.IntVar(&o.users, "users", 50, "how many write")
	flags.IntVar(&o.messages, "messages", 1, "how many messages each of them writes")
	to := flags.String("to", "", "the id of the user to write to")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.to, err = client.ParseUserID(*to)
	return o, err
}

// write is one user's part.
func (o order) write(ctx context.Context, home string, n int) (id client.UserID, err error) {
	c, err := client.Init(ctx, client.Options{Home: home, Server: o.server})
	if err != nil {
		return id, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for m := 1; m <= o.messages; m++ {
		if _, err := c.Send(ctx, o.to, fmt.Sprintf("%d.%d", n, m)); err != nil {
			return id, err
		}
	}
	return c.UserID(), nil
}

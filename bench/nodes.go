package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/letterlock/letterlock/internal/load"
)

// nodes is several servers on one PostgreSQL.
type nodes struct {
	Most      int `help:"The most servers." default:"3"`
	Senders   int `help:"How many devices send." default:"64"`
	Receivers int `help:"How many devices receive." default:"64"`
	Few       int `help:"How many devices receive where all nodes write to the same few mailboxes." default:"4"`
}

// Run measures.
func (n *nodes) Run(ctx context.Context, b *bench) error {
	if err := b.mustStart(); err != nil {
		return err
	}
	if b.Database == "" {
		b.note("nodes: several servers need PostgreSQL: --database")
		return nil
	}
	var columns []*column
	for _, receivers := range []int{n.Receivers, n.Few} {
		for count := 1; count <= n.Most; count++ {
			label := fmt.Sprintf("%d node", count)
			if count > 1 {
				label += "s"
			}
			columns = append(columns, &column{label: fmt.Sprintf("%s, %d mailboxes", label, receivers), measure: func(ctx context.Context, binary string) (sample, error) {
				if err := able(ctx, b, binary, count > 1); err != nil {
					return nil, err
				}
				return b.flood(ctx, wanted{store: postgresql, binary: binary, nodes: count, nats: count > 1, people: n.Senders + receivers},
					flood{senders: n.Senders, way: load.OverSocket, shape: load.One(), looking: true})
			}})
		}
	}
	text := fmt.Sprintf("%d devices send on their sockets to %d or %d devices, spread over nodes so that each message is received on another node than the one that took it, where there is another; one PostgreSQL, one NATS server, all on this machine; %v a run. "+
		"Nodes, database, NATS and load generator share its cores: what this shows is what nodes cost, not what they add. "+
		"One node does what it does in the table of messages one a request; where the figures differ, so does the machine's speed, or the %v between two looks at PostgreSQL's connections are felt.", n.Senders, n.Receivers, n.Few, b.Duration, lookEvery)
	return b.compare(ctx, tell{"nodes", text, b.Runs}, columns)
}

// able says if a server cannot work with NATS, where it has to.
func able(ctx context.Context, b *bench, binary string, nats bool) error {
	if !nats {
		return nil
	}
	if b.NATSServer == "" {
		return fmt.Errorf("%w without --nats-server", errUnavailable)
	}
	help, err := exec.CommandContext(ctx, binary, "serve", "--help").Output()
	if err == nil && !strings.Contains(string(help), "--nats") {
		err = fmt.Errorf("%w: it knows no --nats", errUnavailable)
	}
	return err
}

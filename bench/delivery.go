package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/internal/load"
)

// delivery is what the server pays for a delivery on an open subscription: the CPU time of sends to a device that is subscribed, less
// that of the same sends to one that is not.
type delivery struct {
	Messages int `help:"How many messages one by one, to each of the two devices." default:"2000"`
	Burst    int `help:"Messages in a burst: one call of sendMessages." default:"200"`
	Bursts   int `help:"How many bursts, to each of the two devices." default:"100"`
}

// blocks is in how many turns the two devices are sent to within a run.
const blocks = 10

// Run measures.
func (d *delivery) Run(ctx context.Context, b *bench) error {
	if err := b.mustStart(); err != nil {
		return err
	}
	stores, err := b.stores()
	if err != nil {
		return err
	}
	store := stores[0]
	text := fmt.Sprintf("Server CPU of %d messages one by one, and of %d bursts of %d, to a device with an open subscription, less that of the same to a device without one, in turns; nothing is acknowledged. "+
		"The difference is a delivery with all that comes with it: finding the reader, encoding, the write to the socket, the wake-ups of threads. Store: %s.", d.Messages, d.Bursts, d.Burst, store)
	return b.compare(ctx, tell{"delivery", text, b.Runs}, []*column{
		{label: "one by one", measure: func(ctx context.Context, binary string) (sample, error) {
			return d.run(ctx, b, wanted{store: store, binary: binary, people: 4, env: roomy()}, load.One(), d.Messages)
		}},
		{label: "bursts", measure: func(ctx context.Context, binary string) (sample, error) {
			return d.run(ctx, b, wanted{store: store, binary: binary, people: 4, env: roomy()}, load.Shape{Bulk: true, Messages: d.Burst, Recipients: 1}, d.Bursts)
		}},
	})
}

func (d *delivery) run(ctx context.Context, b *bench, want wanted, shape load.Shape, calls int) (_ sample, err error) {
	w, err := b.newWorld(ctx, want)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	if err := w.able(ctx, shape); err != nil {
		return nil, err
	}
	with, err := w.steps(ctx, 0, shape, true)
	if err != nil {
		return nil, err
	}
	without, err := w.steps(ctx, 1, shape, false)
	if err != nil {
		return nil, err
	}
	var spentWith, spentWithout time.Duration
	for range blocks {
		if err := w.timed(ctx, with, calls/blocks, &spentWith); err != nil {
			return nil, err
		}
		if err := w.timed(ctx, without, calls/blocks, &spentWithout); err != nil {
			return nil, err
		}
	}
	_, err = with.Close()
	_, closeErr := without.Close()
	n := float64(calls / blocks * blocks * shape.Envelopes())
	var s sample
	s.add("subscribed_cpu", "server CPU per message, subscribed", duration, float64(spentWith)/n)
	s.add("alone_cpu", "server CPU per message, not subscribed", duration, float64(spentWithout)/n)
	s.add("delivery_cpu", "difference: a delivery", duration, float64(spentWith-spentWithout)/n)
	return s, errors.Join(err, closeErr)
}

// steps makes a sender, person n, and a receiver, person n+2, that is connected or not.
func (w *world) steps(ctx context.Context, n int, shape load.Shape, connected bool) (*load.Lockstep, error) {
	receivers := load.NewReceivers(w.people[n+2:n+3], w.nodes(), w.content, 1, load.ReceiverOptions{})
	sender, err := load.NewSender(ctx, 0, w.people[n], w.servers[0].Node, load.OverSocket, shape, w.content, receivers)
	if err != nil {
		return nil, err
	}
	steps := &load.Lockstep{Sender: sender}
	if connected {
		steps.Receiver = receivers[0]
	}
	if err := steps.Open(ctx); err != nil {
		return nil, err
	}
	return steps, steps.Run(ctx, 20, false) // warm-up
}

// timed adds what the server takes for n calls.
func (w *world) timed(ctx context.Context, steps *load.Lockstep, n int, sum *time.Duration) error {
	w.meter.begin()
	if err := steps.Run(ctx, n, false); err != nil {
		return err
	}
	w.meter.end()
	all, err := w.meter.spent()
	*sum += all.servers
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/letterlock/letterlock/internal/load"
)

// pair is two devices and nobody else.
type pair struct {
	Messages int `help:"How many messages, each after the one before has arrived." default:"2000"`
}

// Run measures.
func (p *pair) Run(ctx context.Context, b *bench) error {
	text := fmt.Sprintf("One device sends %d messages of %d B to one other, each on its socket, each message after the one before has arrived; nothing else happens.", p.Messages, b.Size)
	return b.eachStore(ctx, tell{"pair", text, b.Runs}, func(ctx context.Context, want wanted) (sample, error) {
		want.people = 2
		return p.run(ctx, b, want)
	})
}

func (p *pair) run(ctx context.Context, b *bench, want wanted) (_ sample, err error) {
	w, err := b.newWorld(ctx, want)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	receivers := w.receivers(1)
	senders, err := w.senders(ctx, 1, load.OverSocket, load.One(), receivers)
	if err != nil {
		return nil, err
	}
	steps := &load.Lockstep{Sender: senders[0], Receiver: receivers[0]}
	if err := steps.Open(ctx); err != nil {
		return nil, err
	}
	if err := steps.Run(ctx, p.Messages/10, false); err != nil { // warm-up
		return nil, err
	}
	w.meter.begin()
	if err := steps.Run(ctx, p.Messages, true); err != nil {
		return nil, err
	}
	w.meter.end()
	r, err := steps.Close()
	if err != nil {
		return nil, err
	}
	var s sample
	s.quantiles("send", "send → answer", r.Sends)
	s.quantiles("journey", "send → received", r.Journeys)
	return s, w.meter.each(&s, "message", p.Messages)
}

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/letterlock/letterlock/bench/internal/load"
)

// backlog is a device that comes back after a long time.
type backlog struct {
	Envelopes int `help:"How many envelopes wait." default:"100000"`
	Senders   int `help:"How many devices have sent them." default:"16"`
}

// Run measures.
func (l *backlog) Run(ctx context.Context, b *bench) error {
	if err := b.mustStart(); err != nil {
		return err
	}
	text := fmt.Sprintf("A device subscribes whose mailbox holds %s envelopes of %d B from %d senders, on a server that was just started, over a store whose pages are in memory. "+
		"Counted from connecting until all have arrived; acknowledged all at once afterwards.", grouped(float64(l.Envelopes)), b.Size, l.Senders)
	return b.eachStore(ctx, tell{"backlog", text, b.Runs}, func(ctx context.Context, want wanted) (sample, error) {
		want.people, want.env = l.Senders+1, roomy()
		return l.run(ctx, b, want)
	})
}

func (l *backlog) run(ctx context.Context, b *bench, want wanted) (_ sample, err error) {
	w, err := b.newWorld(ctx, want)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	filled, err := l.fill(ctx, w)
	if err != nil {
		return nil, fmt.Errorf("fill the mailbox: %w", err)
	}
	if err := w.restart(ctx, b, want); err != nil {
		return nil, err
	}
	w.receives = load.ReceiverOptions{Buffer: 64 << 10}
	filled.Receivers = w.receivers(l.Senders)
	server := w.servers[0].process()[0]
	before, err := server.memory(residentNow)
	if err != nil {
		return nil, err
	}
	w.meter.begin()
	took, err := filled.CatchUp(ctx)
	if err != nil {
		return nil, err
	}
	w.meter.end()
	peak, err := server.memory(residentPeak)
	if err != nil {
		return nil, err
	}
	removing, err := filled.Receivers[0].AcknowledgeAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("acknowledge: %w", err)
	}
	envelopes := int(filled.Receivers[0].Received())
	var s sample
	s.add("caught_up_per_second", "envelopes/s until caught up", number, float64(envelopes)/took.Seconds())
	s.add("caught_up_after", "caught up after", duration, float64(took))
	s.add("memory_before", "server memory before", memory, before)
	s.add("memory_peak", "server memory, peak meanwhile", memory, peak)
	s.add("acknowledge_all", "all acknowledged at once in", duration, float64(removing))
	return s, w.meter.each(&s, "envelope", envelopes)
}

// fill sends what is to wait, in the biggest calls that the server takes.
func (l *backlog) fill(ctx context.Context, w *world) (*load.Load, error) {
	shape := load.Shape{Bulk: true, Messages: 200, Recipients: 1}
	if w.able(ctx, shape) != nil {
		shape = load.One()
	}
	senders, err := w.senders(ctx, l.Senders, load.OverSocket, shape, w.receivers(l.Senders))
	if err != nil {
		return nil, err
	}
	filled := &load.Load{Senders: senders, Envelopes: int64(l.Envelopes)}
	return filled, filled.Fill(ctx)
}

// restart puts a new server in the place of the only one.
func (w *world) restart(ctx context.Context, b *bench, want wanted) error {
	if err := w.servers[0].stop(); err != nil {
		return err
	}
	s, err := b.startServer(ctx, want.binary, w.store, want.env...)
	if err != nil {
		return err
	}
	w.servers[0], w.meter.servers = s, s.process()
	return nil
}

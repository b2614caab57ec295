package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/letterlock/letterlock/internal/load"
)

// backlog is a device that comes back after a long time.
type backlog struct {
	Envelopes int `help:"How many envelopes wait." default:"100000"`
	More      int `help:"A second number: does the memory grow with it?" default:"300000"`
	Senders   int `help:"How many devices have sent them." default:"16"`
}

// Run measures.
func (l *backlog) Run(ctx context.Context, b *bench) error {
	if err := b.mustStart(); err != nil {
		return err
	}
	stores, err := b.stores()
	if err != nil {
		return err
	}
	var columns []*column
	for _, store := range stores {
		sizes := []int{l.Envelopes, l.More}
		if store == sqlite && len(stores) > 1 {
			sizes = sizes[:1] // whether it grows is seen on the other
		}
		for _, envelopes := range sizes {
			columns = append(columns, &column{label: fmt.Sprintf("%s, %s", store, grouped(float64(envelopes))), measure: func(ctx context.Context, binary string) (sample, error) {
				return l.run(ctx, b, wanted{store: store, binary: binary, people: l.Senders + 1, env: roomy()}, envelopes)
			}})
		}
	}
	text := fmt.Sprintf("A device subscribes whose mailbox holds %s or %s envelopes of %d B from %d senders, on a server that was just started, over a store whose pages are in memory. "+
		"Counted from connecting until all have arrived; acknowledged all at once afterwards.", grouped(float64(l.Envelopes)), grouped(float64(l.More)), b.Size, l.Senders)
	return b.compare(ctx, tell{"backlog", text, b.Runs}, columns)
}

func (l *backlog) run(ctx context.Context, b *bench, want wanted, waiting int) (_ sample, err error) {
	w, err := b.newWorld(ctx, want)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	filled, err := l.fill(ctx, w, waiting)
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
func (l *backlog) fill(ctx context.Context, w *world, waiting int) (*load.Load, error) {
	shape := load.Shape{Bulk: true, Messages: 200, Recipients: 1}
	if w.able(ctx, shape) != nil {
		shape = load.One()
	}
	senders, err := w.senders(ctx, l.Senders, load.OverSocket, shape, w.receivers(l.Senders))
	if err != nil {
		return nil, err
	}
	filled := &load.Load{Senders: senders, Envelopes: int64(waiting)}
	return filled, filled.Fill(ctx)
}

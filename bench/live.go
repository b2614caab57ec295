package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/letterlock/letterlock/internal/load"
)

// live is the common case: many devices, one message a request, everybody connected.
type live struct {
	Senders   int        `help:"How many devices send, each one message after the other." default:"64"`
	Receivers int        `help:"How many devices receive, each with a live subscription." default:"64"`
	Ways      []load.Way `help:"How to send: socket, http." default:"socket,http" enum:"socket,http"`
}

// Run measures.
func (l *live) Run(ctx context.Context, b *bench) error {
	stores, err := b.stores()
	if err != nil {
		return err
	}
	var columns []*column
	for _, store := range stores {
		for _, way := range l.Ways {
			columns = append(columns, &column{label: store + ", " + string(way), measure: func(ctx context.Context, binary string) (sample, error) {
				return b.flood(ctx, wanted{store: store, binary: binary, people: l.Senders + l.Receivers}, flood{senders: l.Senders, way: way, shape: load.One()})
			}})
		}
	}
	text := fmt.Sprintf("%d devices send one message after the other to %d devices with a live subscription each, which acknowledge every hundredth: %d B of ciphertext, one message a request, %v a run.",
		l.Senders, l.Receivers, b.Size, b.Duration)
	return b.compare(ctx, tell{"live", text, b.Runs}, columns)
}

// flood is senders that send as fast as they are answered.
type flood struct {
	senders int
	way     load.Way
	shape   load.Shape
	late    bool // receivers come when all is sent
	looking bool // at what PostgreSQL's connections wait for
}

// flood measures one in a new world.
func (b *bench) flood(ctx context.Context, want wanted, f flood) (_ sample, err error) {
	w, err := b.newWorld(ctx, want)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	if err := w.able(ctx, f.shape); err != nil {
		return nil, err
	}
	receivers := w.receivers(f.senders)
	senders, err := w.senders(ctx, f.senders, f.way, f.shape, receivers)
	if err != nil {
		return nil, err
	}
	watch, err := w.watched(ctx, f.looking)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, watch.close()) }()
	l := load.Load{
		Senders: senders, Receivers: receivers, Late: f.late, Warmup: b.Warmup, Duration: b.Duration,
		Began: func() { watch.begin(); w.meter.begin() }, Ended: func() { w.meter.end(); watch.end() },
	}
	r, err := l.Run(ctx)
	if err != nil {
		return nil, err
	}
	return w.found(ctx, r, f, watch)
}

// able says if the servers cannot take calls of a shape.
func (w *world) able(ctx context.Context, shape load.Shape) error {
	if !shape.Bulk {
		return nil
	}
	for _, s := range w.servers {
		if known, err := s.Knows(ctx, "sendMessages"); err != nil {
			return err
		} else if !known {
			return fmt.Errorf("%w: it has no sendMessages", errUnavailable)
		}
	}
	return nil
}

func (w *world) found(ctx context.Context, r load.Result, f flood, watch *watch) (sample, error) {
	var s sample
	unit, n := "message", r.Delivered
	perSecond := func(n int) float64 { return float64(n) / r.Elapsed.Seconds() }
	if f.shape.Bulk {
		unit = "envelope"
		s.add("accepted_per_second", "envelopes accepted/s", number, perSecond(r.Envelopes))
	}
	if f.late {
		n = r.Envelopes
	} else {
		s.add("delivered_per_second", unit+"s delivered/s", number, perSecond(n))
	}
	s.quantiles("send", "send → answer", r.Sends)
	if !f.late {
		s.quantiles("journey", "send → received", r.Journeys)
	}
	if err := w.meter.each(&s, unit, n); err != nil {
		return nil, err
	}
	watch.each(&s, unit, n)
	if f.shape.Bulk || f.looking {
		return s, nil // few ids, or those of the first table
	}
	return s, w.store.eachRemembered(ctx, &s)
}

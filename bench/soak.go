package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/letterlock/letterlock/internal/load"
)

// soak is a long time in a short one.
type soak struct {
	Messages   int64 `help:"How many envelopes to send, receive and acknowledge." default:"10000000"`
	Every      int64 `help:"After how many to look at rate and sizes." default:"500000"`
	Senders    int   `help:"How many devices send." default:"8"`
	Receivers  int   `help:"How many devices receive and acknowledge." default:"64"`
	Call       int   `help:"Messages in a call of sendMessages, of 8 recipients each; 0 for sendMessage, an id for each envelope." default:"25"`
	Unreceived int64 `help:"How many envelopes may wait for their receivers before senders wait for them." default:"100000"`
}

func (k *soak) shape() load.Shape {
	if k.Call == 0 {
		return load.One()
	}
	return load.Shape{Bulk: true, Messages: k.Call, Recipients: min(8, k.Receivers)}
}

// Run measures on the first store that there is.
func (k *soak) Run(ctx context.Context, b *bench) (err error) {
	if err := b.mustStart(); err != nil {
		return err
	}
	if err := b.look(ctx); err != nil {
		return err
	}
	stores, err := b.stores()
	if err != nil {
		return err
	}
	w, err := b.newWorld(ctx, wanted{store: stores[0], binary: b.Binary, people: k.Senders + k.Receivers, env: roomy()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	if err := w.able(ctx, k.shape()); err != nil {
		return err
	}
	receivers := w.receivers(k.Senders)
	senders, err := w.senders(ctx, k.Senders, load.OverSocket, k.shape(), receivers)
	if err != nil {
		return err
	}
	l := &load.Load{Senders: senders, Receivers: receivers, Envelopes: k.Messages, InFlight: k.Unreceived}
	diary, err := k.run(ctx, b, w, l)
	if err != nil {
		return err
	}
	return k.publish(ctx, b, stores[0], w, diary)
}

// entry is how things were after so many envelopes.
type entry struct {
	accepted int64
	rate     float64 // since the entry before
	sizes    sizes
	resident float64
}

// run sends everything and looks now and then.
func (k *soak) run(ctx context.Context, b *bench, w *world, l *load.Load) ([]entry, error) {
	return b.diary(ctx, w, l, k.Every, func() error {
		_, err := l.Run(ctx)
		return err
	}, (*entry).line)
}

// diary looks after every so many envelopes, and at least once, how things are while run runs.
func (b *bench) diary(ctx context.Context, w *world, l *load.Load, every int64, run func() error, line func(*entry) string) ([]entry, error) {
	done := make(chan error, 1)
	go func() { done <- run() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var diary []entry
	last, next := time.Now(), every
	var before int64
	for over := false; !over; {
		select {
		case err := <-done:
			if over = true; err != nil || len(diary) > 0 {
				return diary, err
			}
		case <-tick.C:
		}
		accepted := l.Accepted()
		if accepted < next && !over { // at least once
			continue
		}
		e := entry{accepted: accepted, rate: float64(accepted-before) / time.Since(last).Seconds()}
		var err, memoryErr error
		e.sizes, err = w.store.sizes(ctx)
		e.resident, memoryErr = w.servers[0].process()[0].memory(residentNow)
		if err = errors.Join(err, memoryErr); err != nil {
			return nil, err
		}
		b.note("%s", line(&e))
		diary = append(diary, e)
		before, last = accepted, time.Now()
		next = (accepted/every + 1) * every
	}
	return diary, nil
}

const diaryHead = "| envelopes | envelopes/s | messages | mailboxes | remembered ids | dead rows | server memory |\n| --- | --- | --- | --- | --- | --- | --- |\n"

func (e *entry) line() string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", grouped(float64(e.accepted)), grouped(e.rate), showMemory(e.sizes.messages),
		showMemory(e.sizes.mailboxes), showMemory(e.sizes.sends), grouped(e.sizes.dead), showMemory(e.resident))
}

func (k *soak) publish(ctx context.Context, b *bench, kind string, w *world, diary []entry) error {
	remembered, err := w.store.remembered(ctx)
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s envelopes of %d B through send and acknowledge on %s, %d envelopes a call, %d senders, %d receivers that acknowledge every hundredth. Sizes are of tables with their indexes. %s.\n\n%s",
		grouped(float64(k.Messages)), b.Size, kind, k.shape().Envelopes(), k.Senders, k.Receivers, b.machine.short(), diaryHead)
	for _, e := range diary {
		text.WriteString(e.line() + "\n")
	}
	if remembered > 0 {
		fmt.Fprintf(&text, "\nA remembered id takes %.0f bytes, with its index: %s calls in %s.\n", diary[len(diary)-1].sizes.sends/remembered,
			grouped(remembered), showMemory(diary[len(diary)-1].sizes.sends))
	}
	if _, err := fmt.Fprintf(b.out, "## soak\n\n%s\n", text.String()); err != nil || b.Document == "" {
		return err
	}
	return renew(b.Document, "soak", text.String())
}

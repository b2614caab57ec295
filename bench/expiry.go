package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/letterlock/letterlock/internal/load"
)

// expiry is soak for devices that never come: all that they are sent expires.
type expiry struct {
	Messages  int64 `help:"How many envelopes to send." default:"3000000"`
	Every     int64 `help:"After how many to look at rate and sizes." default:"200000"`
	Rate      int64 `help:"How many envelopes to send a second." default:"10000"`
	Senders   int   `help:"How many devices send." default:"8"`
	Receivers int   `help:"How many devices are sent to." default:"64"`
	Call      int   `help:"Messages in a call of sendMessages, of 8 recipients each." default:"25"`
	ExpiresIn int   `help:"How many seconds an envelope may wait." default:"5"`
}

// sweepPatience is how long may pass until the server has deleted what has expired: it looks once a minute.
const sweepPatience = 5 * time.Minute

// Run measures on PostgreSQL.
func (x *expiry) Run(ctx context.Context, b *bench) (err error) {
	if err := b.mustStart(); err != nil {
		return err
	}
	if b.Database == "" {
		b.note("expiry: it is PostgreSQL's tables that are looked at: --database")
		return nil
	}
	if err := b.look(ctx); err != nil {
		return err
	}
	w, err := b.newWorld(ctx, wanted{store: postgresql, binary: b.Binary, people: x.Senders + x.Receivers, env: roomy()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	shape := load.Shape{Bulk: true, Messages: x.Call, Recipients: min(8, x.Receivers), ExpiresIn: x.ExpiresIn}
	senders, err := w.senders(ctx, x.Senders, load.OverSocket, shape, w.receivers(x.Senders))
	if err != nil {
		return err
	}
	l := &load.Load{Senders: senders, Envelopes: x.Messages}
	began := time.Now()
	l.Held = func() bool { return float64(l.Accepted()) > float64(x.Rate)*time.Since(began).Seconds() }
	diary, err := b.diary(ctx, w, l, x.Every, func() error { return l.Fill(ctx) }, (*entry).expiryLine)
	if err != nil {
		return err
	}
	sent := time.Now()
	last, err := w.expired(ctx, l.Accepted())
	if err != nil {
		return err
	}
	return x.publish(b, shape, diary, last, time.Since(sent))
}

// expired waits until all that was accepted has expired, and was deleted and counted.
func (w *world) expired(ctx context.Context, accepted int64) (last entry, err error) {
	ctx, cancel := context.WithTimeout(ctx, sweepPatience)
	defer cancel()
	for last.sizes, err = w.store.sizes(ctx); err == nil && last.sizes.waiting > 0; last.sizes, err = w.store.sizes(ctx) {
		if err = load.Pass(ctx, time.Second); err != nil {
			break
		}
	}
	if err != nil {
		return last, fmt.Errorf("wait until all has expired: %w", err)
	}
	if int64(last.sizes.expired) != accepted {
		return last, fmt.Errorf("%d envelopes were accepted, and %.0f have expired", accepted, last.sizes.expired)
	}
	return last, nil
}

const expiryHead = "| envelopes | envelopes/s | waiting | expired | messages | mailboxes | dead rows | server memory |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"

func (e *entry) expiryLine() string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |", grouped(float64(e.accepted)), grouped(e.rate), grouped(e.sizes.waiting), grouped(e.sizes.expired),
		showMemory(e.sizes.messages), showMemory(e.sizes.mailboxes), grouped(e.sizes.dead), showMemory(e.resident))
}

func (x *expiry) publish(b *bench, shape load.Shape, diary []entry, last entry, took time.Duration) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s envelopes of %d B to %d devices that never connect, on postgresql, %s a second, %d a call, %d senders; each may wait for %d s. The server deletes what has expired once a minute. Sizes are of tables with their indexes. %s.\n\n%s",
		grouped(float64(x.Messages)), b.Size, x.Receivers, grouped(float64(x.Rate)), shape.Envelopes(), x.Senders, x.ExpiresIn, b.machine.short(), expiryHead)
	for _, e := range diary {
		text.WriteString(e.expiryLine() + "\n")
	}
	fmt.Fprintf(&text, "\nAfter the last was sent it took %v until all had expired and were deleted: %s, as many as were accepted. The table of messages has %s then.\n",
		took.Round(time.Second), grouped(last.sizes.expired), showMemory(last.sizes.messages))
	if _, err := fmt.Fprintf(b.out, "## expiry\n\n%s\n", text.String()); err != nil || b.Document == "" {
		return err
	}
	return renew(b.Document, "expiry", text.String())
}

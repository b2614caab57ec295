package drive

import (
	"context"
	"errors"
	"time"

	"github.com/letterlock/letterlock/soak/internal/history"
)

// What a reader does now and then: once in so many times.
const (
	readsPages     = 6 // instead of listening
	startsAnywhere = 2 // instead of at the last position
	withoutCursor  = 3 // of those that start anywhere
	acknowledges   = 8 // after an envelope
	repeatsOldAck  = 20
)

const (
	longestWait = 500 // envelopes that may wait before a reader has to acknowledge
	longestStay = 200 // envelopes before a reader hangs up
	pageSize    = 40
)

// removedStay is how long a removed device still listens: what comes then is for the checker.
const removedStay = 3 * time.Second

// shown is an envelope as the server shows it.
type shown struct{ ID, Cursor, MessageID, SenderDeviceID, Kind, Ciphertext, Nonce string }

// reads has a device read until nobody does any more, or for a moment after it was removed.
func (d *device) reads() error {
	ctx, cancel := context.WithCancel(d.world.calm)
	defer cancel()
	defer d.world.after(d.removed, removedStay, cancel)()
	for ctx.Err() == nil && !d.isRemoved() {
		var err error
		if d.chance(readsPages) {
			err = d.readPages(ctx, d.start(), 1+d.number(5))
		} else {
			err = d.listen(ctx, d.start())
		}
		if err = d.excuse(err); err != nil {
			return err
		}
		d.pause(ctx)
	}
	if d.isRemoved() {
		return d.excuse(d.readPages(context.WithoutCancel(ctx), d.place.highest(), 1))
	}
	return nil
}

// excuse takes what nodes in trouble answer.
func (d *device) excuse(err error) error {
	var r *refusal
	switch {
	case err == nil || errors.Is(err, errUnanswered):
		return nil
	case !errors.As(err, &r):
		return err
	case r.passing() || r.code() == "SUPERSEDED" || r.gone() && d.leaving.Load():
	default:
		d.world.problem("a reading of %s was refused: %v", d.id, r)
	}
	return nil
}

// start draws where to begin: behind which position, -1 for without a cursor.
func (d *device) start() int64 {
	switch {
	case !d.chance(startsAnywhere):
		return d.place.highest()
	case d.chance(withoutCursor):
		return -1
	}
	return d.place.acked + int64(d.number(len(d.place.cursors)+1))
}

// begin writes down that a reading begins, and gives its number and cursor.
func (d *device) begin(after int64) (reading int64, cursor any) {
	reading = d.world.readings.Add(1)
	if after >= 0 && d.place.at(after) != "" {
		cursor = d.place.at(after)
	}
	d.log(history.Event{Kind: history.Read, Reading: reading, Position: max(after, 0)})
	return reading, cursor
}

// got takes an envelope.
func (d *device) got(reading int64, m *shown) error {
	p, err := position(m.ID)
	if err != nil {
		return err
	}
	d.log(history.Event{
		Kind: history.Got, Reading: reading, Position: p, Sender: m.SenderDeviceID, Message: m.MessageID,
		Content: content(m.Kind, m.Ciphertext, m.Nonce),
	})
	d.place.shown(p, m.Cursor)
	return nil
}

// readPages reads some pages, and acknowledges between them.
func (d *device) readPages(ctx context.Context, after int64, pages int) error {
	reading, cursor := d.begin(after)
	end := history.Event{Kind: history.Closed, Reading: reading}
	defer func() { d.log(end) }()
	for range pages {
		page, err := d.page(ctx, reading, cursor)
		if err != nil {
			return err
		}
		if !page.PageInfo.HasNextPage {
			end.AtEnd = true
			break
		}
		cursor = page.Nodes[len(page.Nodes)-1].Cursor
	}
	return d.maybeAcknowledge(ctx)
}

type page struct {
	Nodes        []shown
	PageInfo     struct{ HasNextPage bool }
	ExpiredCount int64
}

func (d *device) page(ctx context.Context, reading int64, cursor any) (*page, error) {
	var data struct{ Mailbox page }
	variables := map[string]any{"first": 1 + d.number(pageSize), "after": cursor}
	if err := d.once(ctx, d.world.CallTimeout, mailbox, variables, &data); err != nil {
		return nil, err
	}
	if data.Mailbox.ExpiredCount > 0 {
		d.world.problem("%d messages of %s have expired, and none had reason to", data.Mailbox.ExpiredCount, d.id)
	}
	for i := range data.Mailbox.Nodes {
		if err := d.got(reading, &data.Mailbox.Nodes[i]); err != nil {
			return nil, err
		}
	}
	return &data.Mailbox, nil
}

// maybeAcknowledge acknowledges now and then, up to any position that was shown; if much waits, up to the last.
func (d *device) maybeAcknowledge(ctx context.Context) error {
	waiting := len(d.place.cursors)
	switch {
	case d.place.cursor != "" && d.chance(repeatsOldAck*acknowledges):
		return d.acknowledge(ctx, d.place.acked)
	case waiting == 0 || waiting < longestWait && !d.chance(acknowledges):
		return nil
	case waiting >= longestWait:
		return d.acknowledge(ctx, d.place.highest())
	}
	return d.acknowledge(ctx, d.place.acked+1+int64(d.number(waiting)))
}

// acknowledge makes one call. Without an answer the device goes on as if it had not been made.
func (d *device) acknowledge(ctx context.Context, upTo int64) error {
	d.log(history.Event{Kind: history.Acknowledge, Position: upTo})
	var data struct {
		AcknowledgeMessages struct {
			AcknowledgedUpTo string
			RemovedCount     int64
		}
	}
	err := d.once(ctx, d.world.CallTimeout, acknowledge, map[string]any{"upTo": d.place.at(upTo)}, &data)
	if err != nil {
		return d.excuse(err)
	}
	d.log(history.Event{Kind: history.Acknowledged, Position: upTo, Count: data.AcknowledgeMessages.RemovedCount})
	d.place.acknowledged(upTo)
	return nil
}

// drain reads and acknowledges all that is there, and looks once more.
func (d *device) drain(ctx context.Context) error {
	for range 2 {
		if err := d.readAll(ctx); err != nil {
			return err
		}
		for d.place.highest() > d.place.acked {
			if err := d.acknowledge(ctx, d.place.highest()); err != nil {
				return err
			}
			if d.place.highest() > d.place.acked && !d.pause(ctx) {
				return ctx.Err()
			}
		}
	}
	return nil
}

// readAll reads to the end, from the start as often as that breaks off.
func (d *device) readAll(ctx context.Context) error {
	const all = 1 << 30
	for {
		err := d.readPages(ctx, -1, all)
		if err == nil {
			return nil
		}
		if err := d.excuse(err); err != nil {
			return err
		}
		if !d.pause(ctx) {
			return ctx.Err()
		}
	}
}

package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Fill sends until Envelopes are accepted, while nobody receives.
func (l *Load) Fill(ctx context.Context) error {
	ctx, stop := l.watched(ctx)
	defer stop()
	defer l.closeSenders()
	var counting atomic.Bool
	_, err := l.send(ctx, &counting)
	return errors.Join(context.Cause(ctx), err)
}

// CatchUp opens all receivers and gives how long it takes until everything that was filled in has arrived.
func (l *Load) CatchUp(ctx context.Context) (time.Duration, error) {
	ctx, stop := l.watched(ctx)
	defer stop()
	var counting atomic.Bool
	started := time.Now()
	err := l.open(ctx, counting.Load)
	for err == nil && l.received() < l.Accepted() && !l.failed() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	took := time.Since(started)
	if err == nil {
		err = l.drain(ctx)
	}
	err = errors.Join(context.Cause(ctx), err, l.closeReceivers())
	r := l.tally(0)
	return took, errors.Join(r.Breach(), err)
}

// AcknowledgeAll acknowledges all that a closed receiver has received, and gives how long that takes.
func (r *Receiver) AcknowledgeAll(ctx context.Context) (time.Duration, error) {
	var data struct {
		AcknowledgeMessages struct{ RemovedCount int64 }
	}
	started := time.Now()
	err := r.node.Query(ctx, r.person, `mutation($upTo: Cursor!) { acknowledgeMessages(upTo: $upTo) { removedCount } }`,
		map[string]any{"upTo": string(r.cursor)}, &data)
	took := time.Since(started)
	if err != nil {
		return 0, err
	}
	if removed := data.AcknowledgeMessages.RemovedCount; removed != r.Received() {
		return 0, fmt.Errorf("%d messages were removed instead of %d", removed, r.Received())
	}
	return took, nil
}

package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// measure runs senders against receivers on one server. Sender i writes to receiver i mod receivers.
func measure(ctx context.Context, o options, server string) (result, error) {
	if o.Size < headerSize {
		return result{}, fmt.Errorf("--size must be at least %d", headerSize)
	}
	api, err := newAPI(server, o.Senders+o.Receivers)
	if err != nil {
		return result{}, err
	}
	people, err := registerAll(ctx, api, o.Senders+o.Receivers)
	if err != nil {
		return result{}, err
	}
	receivers, err := openReceivers(ctx, api, people[o.Senders:])
	if err != nil {
		return result{}, err
	}
	senders := make([]*sender, o.Senders)
	for i := range senders {
		senders[i] = &sender{index: uint32(i), api: api, bearer: bearer{person: people[i]}, to: receivers[i%o.Receivers].person, size: o.Size}
	}
	return drive(ctx, o, senders, receivers)
}

func registerAll(ctx context.Context, api *api, n int) ([]*person, error) {
	people := make([]*person, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := range people {
		group.Go(func() (err error) {
			people[i], err = newPerson(ctx, api)
			return err
		})
	}
	return people, group.Wait()
}

func openReceivers(ctx context.Context, api *api, people []*person) ([]*receiver, error) {
	receivers := make([]*receiver, len(people))
	for i, p := range people {
		receivers[i] = &receiver{person: p, api: api, next: map[uint32]uint64{}}
		if err := receivers[i].open(ctx); err != nil {
			return nil, fmt.Errorf("receiver %d: %w", i, err)
		}
	}
	return receivers, nil
}

// drive sends for warm-up and duration, waits until all that was accepted has arrived, and counts.
func drive(ctx context.Context, o options, senders []*sender, receivers []*receiver) (result, error) {
	var counting, closing atomic.Bool
	var reading errgroup.Group
	for _, r := range receivers {
		reading.Go(func() error { return r.run(ctx, counting.Load, closing.Load) })
	}
	sendCtx, stop := context.WithTimeout(ctx, o.Warmup+o.Duration)
	defer stop()
	sending, sendCtx := errgroup.WithContext(sendCtx)
	for _, s := range senders {
		sending.Go(func() error { return s.run(sendCtx, counting.Load) })
	}
	elapsed := count(sendCtx, o.Warmup, &counting)
	if err := sending.Wait(); err != nil {
		return result{}, err
	}
	drain(ctx, senders, receivers)
	closing.Store(true)
	for _, r := range receivers {
		_ = r.conn.Close()
	}
	if err := reading.Wait(); err != nil {
		return result{}, err
	}
	r := tally(elapsed, senders, receivers)
	return r, r.breach()
}

// count opens the counted time after the warm-up and closes it when sending ends.
func count(ctx context.Context, warmup time.Duration, counting *atomic.Bool) time.Duration {
	select {
	case <-time.After(warmup):
	case <-ctx.Done():
		return 0
	}
	counting.Store(true)
	started := time.Now()
	<-ctx.Done()
	counting.Store(false)
	return time.Since(started)
}

// drain waits until every accepted message was received, at most 30 seconds.
func drain(ctx context.Context, senders []*sender, receivers []*receiver) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var sent, received int64
		for _, s := range senders {
			sent += int64(s.sent) //nolint:gosec // a count of seconds' work
		}
		for _, r := range receivers {
			received += r.received.Load()
		}
		if received >= sent {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func tally(elapsed time.Duration, senders []*sender, receivers []*receiver) result {
	r := result{elapsed: elapsed}
	expected := 0
	for _, s := range senders {
		r.sends = append(r.sends, s.took...)
		r.accepted += len(s.took)
		expected += int(s.sent) //nolint:gosec // a count of seconds' work
	}
	received := 0
	for _, v := range receivers {
		r.journeys = append(r.journeys, v.timed...)
		r.delivered += v.inTime
		r.doubled += v.doubled
		r.disorder += v.disorder
		received += int(v.received.Load())
	}
	r.lost = expected - (received - r.doubled)
	r.warmups = received - r.delivered
	return r
}

package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Lockstep makes one call after the other and waits after each until all of it has arrived.
type Lockstep struct {
	Sender *Sender
	// Receiver is the only one that the sender writes to; nil if nobody is connected.
	Receiver *Receiver

	arrived  chan struct{}
	counting atomic.Bool
}

// Open connects the receiver. Its options need not name Arrived.
func (l *Lockstep) Open(ctx context.Context) error {
	if l.Receiver == nil {
		return nil
	}
	l.arrived = make(chan struct{}, 1)
	l.Receiver.options.Arrived = l.arrived
	return l.Receiver.Open(ctx, l.counting.Load)
}

// Run makes n calls. Their times are kept if counted.
func (l *Lockstep) Run(ctx context.Context, n int, counted bool) error {
	l.counting.Store(counted)
	for range n {
		took, err := l.Sender.Send()
		if err == nil {
			err = l.await(ctx)
		}
		if err != nil {
			return err
		}
		if counted {
			l.Sender.took = append(l.Sender.took, took)
		}
	}
	return nil
}

func (l *Lockstep) await(ctx context.Context) error {
	if l.Receiver == nil {
		return ctx.Err()
	}
	if l.Receiver.Received() >= l.Sender.Envelopes() {
		return nil
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	for l.Receiver.Received() < l.Sender.Envelopes() {
		select {
		case <-l.arrived:
		case <-l.Receiver.ended:
			return l.Receiver.err
		case <-late.C:
			return fmt.Errorf("%d of %d envelopes have arrived after %v", l.Receiver.Received(), l.Sender.Envelopes(), patience)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close hangs up and gives what was found. Elapsed is 0.
func (l *Lockstep) Close() (Result, error) {
	l.Sender.Close()
	if l.Receiver == nil {
		return Result{}, nil
	}
	err := l.Receiver.Close()
	all := Load{Senders: []*Sender{l.Sender}, Receivers: []*Receiver{l.Receiver}}
	r := all.tally(0)
	return r, errors.Join(err, r.Breach())
}

package client

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// pace says how long to wait between tries: exponentially longer, at random within half of that around it.
type pace struct{ backoff *backoff.ExponentialBackOff }

func newPace(longest time.Duration) *pace {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = 100 * time.Millisecond
	b.Multiplier = 2
	b.MaxInterval = longest
	b.Reset()
	return &pace{b}
}

func (p *pace) reset() { p.backoff.Reset() }

// after gives the wait after this failure. A server that asks for a wait gets it, and some more at random.
func (p *pace) after(err error) time.Duration {
	wait := p.backoff.NextBackOff()
	var failure *ServerError
	if errors.As(err, &failure) && failure.RetryAfter > wait {
		return failure.RetryAfter + wait/4
	}
	return wait
}

// patiently tries until it succeeds, fails in a way that trying again can't help, or patience has run out.
func (c *Client) patiently(ctx context.Context, patience time.Duration, try func() error) error {
	started, pace := time.Now(), newPace(3*time.Second)
	for {
		err := try()
		if !transient(err) {
			return err
		}
		wait := pace.after(err)
		if time.Since(started)+wait > patience {
			return err
		}
		if c.wait(ctx, err, wait) != nil {
			return err
		}
	}
}

// wait tells OnWait and waits. It fails when ctx ends first.
func (c *Client) wait(ctx context.Context, why error, wait time.Duration) error {
	if c.options.OnWait != nil {
		c.options.OnWait(why, wait)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

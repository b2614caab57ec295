package client

import (
	"context"
	"errors"
	"time"

	"github.com/letterlock/letterlock/internal/pace"
)

// firstPause is the wait after the first failure of a request, at the most.
const firstPause = 100 * time.Millisecond

// after gives the wait after this failure. A server that asks for a wait gets it, and some more at random.
func after(p *pace.Pace, err error) time.Duration {
	var failure *ServerError
	if errors.As(err, &failure) {
		return p.Next(failure.RetryAfter)
	}
	return p.Next(0)
}

// patiently tries until it succeeds, fails in a way that trying again can't help, or patience has run out.
func (c *Client) patiently(ctx context.Context, patience time.Duration, try func() error) error {
	started, pace := time.Now(), pace.New(firstPause, 3*time.Second)
	for {
		err := try()
		if !transient(err) {
			return err
		}
		wait := after(pace, err)
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

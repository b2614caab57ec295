// Package pace says how long to wait between tries, so that many clients of one server that was away do not come back all at once.
package pace

import (
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Pace is the waits of one client. It is for one goroutine.
type Pace struct{ backoff *backoff.ExponentialBackOff }

// New makes a Pace: the first wait is at random up to first, each one after that up to twice as much as the one before, up to longest.
// Anything from nothing on is as likely (full jitter): what a crowd asks for is even over that time.
func New(first, longest time.Duration) *Pace {
	b := backoff.NewExponentialBackOff()
	// Backoff draws around an interval, by the factor to either side.
	b.InitialInterval, b.MaxInterval, b.RandomizationFactor = first/2, longest/2, 1
	b.Multiplier = 2
	b.Reset()
	return &Pace{b}
}

// Reset begins again with the first wait.
func (p *Pace) Reset() { p.backoff.Reset() }

// Next gives the next wait. A server that asked for a wait gets it, and up to half of that more at random: those whom it refused
// together do not come together again.
func (p *Pace) Next(asked time.Duration) time.Duration {
	wait := p.backoff.NextBackOff()
	if asked > wait {
		return asked + rand.N(asked/2+1) //nolint:gosec // nobody gains by guessing it
	}
	return wait
}

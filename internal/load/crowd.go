package load

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Comeback has a device wait before it tries to connect again. why is what has failed: lost is true if that was a connection, and false
// if it was a try to make one. It fails if ctx ends first.
type Comeback func(ctx context.Context, lost bool, why error) error

// Crowd is devices that stay connected: each comes back when it has lost its connection, without an end.
type Crowd struct {
	Receivers []*Receiver
	// Comeback makes the patience of one device.
	Comeback func() Comeback
	// Nodes are those of which a device that comes back takes any, as a load balancer would have it that has noticed nothing yet; empty
	// for the one that it was at.
	Nodes []*Node

	staying sync.WaitGroup
	mu      sync.Mutex
	live    []time.Time   // by receiver: since when it is, or zero
	count   int           // of those that are
	at      map[*Node]int // how many are live at each node
	breach  error
	reasons map[string]int // why tries broke off, a few
	missed  atomic.Int64   // tries that met no server
	refused atomic.Int64   // that a server has refused by a status
	broken  atomic.Int64   // that broke off later
	away    atomic.Bool    // there is no server at the moment
}

// Failures are the tries that made no connection.
type Failures struct{ Missed, Refused, Broken int64 }

// Join has receivers connect and stay until ctx ends, width of them at a time for the first time.
func (c *Crowd) Join(ctx context.Context, receivers []*Receiver, width int) {
	if c.live == nil {
		c.live = make([]time.Time, len(c.Receivers))
	}
	turns := make(chan struct{}, width)
	for _, r := range receivers {
		r.counting = func() bool { return false }
		c.staying.Go(func() { c.stay(ctx, r, turns) })
	}
}

// Return is Join for those who were away when the others lost their connections: they come back like them.
func (c *Crowd) Return(ctx context.Context, receivers []*Receiver) {
	for _, r := range receivers {
		r.counting = func() bool { return false }
		c.staying.Go(func() {
			back := c.Comeback()
			if back(ctx, true, nil) == nil {
				c.keep(ctx, r, back)
			}
		})
	}
}

// Leave waits until all have hung up, after ctx has ended, and gives what the server did wrong.
func (c *Crowd) Leave() error {
	c.staying.Wait()
	return c.breach
}

// stay has a device wait for its turn to connect for the first time.
func (c *Crowd) stay(ctx context.Context, r *Receiver, turns chan struct{}) {
	turns <- struct{}{}
	err := r.connect(ctx)
	<-turns
	back := c.Comeback()
	if err == nil {
		err = c.read(ctx, r)
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	if back(ctx, true, err) == nil {
		c.keep(ctx, r, back)
	}
}

// keep connects a device again and again.
func (c *Crowd) keep(ctx context.Context, r *Receiver, back Comeback) {
	for ctx.Err() == nil {
		if len(c.Nodes) > 0 {
			r.node = c.Nodes[rand.N(len(c.Nodes))] //nolint:gosec // a choice, not a secret
		}
		err := r.connect(ctx)
		lost := err == nil
		if lost {
			err = c.read(ctx, r)
		}
		if err != nil && ctx.Err() == nil && (!lost || !c.away.Load()) {
			c.failed(err)
		}
		if ctx.Err() != nil || back(ctx, lost, err) != nil {
			return
		}
	}
}

func (c *Crowd) failed(err error) {
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		c.refused.Add(1)
	case c.away.Load():
		c.missed.Add(1)
	default:
		c.broken.Add(1)
		c.keepReason(err)
	}
}

// mostReasons bounds how many different reasons are kept.
const mostReasons = 20

// keepReason counts a reason; errors of the network differ in their ports.
func (c *Crowd) keepReason(err error) {
	reason := err.Error()
	var network *net.OpError
	if errors.As(err, &network) {
		reason = network.Op + ": " + network.Err.Error()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reasons == nil {
		c.reasons = map[string]int{}
	}
	if _, known := c.reasons[reason]; known || len(c.reasons) < mostReasons {
		c.reasons[reason]++
	}
}

// Reasons gives why tries broke off, and how many of each.
func (c *Crowd) Reasons() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.reasons)
}

// read reads until the connection ends. The device is live once it is subscribed and has what waited for it.
func (c *Crowd) read(ctx context.Context, r *Receiver) error {
	defer r.socket.close()
	defer c.note(r, time.Time{})
	for known := false; ; {
		if !known && r.Received() >= r.Waiting {
			c.note(r, time.Now())
			known = true
		}
		message, err := r.socket.read()
		if err != nil {
			return err
		}
		if err := r.take(message); err != nil {
			// A delivery is not wrong for that the server was gone when it was to be acknowledged.
			var network *net.OpError
			if _, delivery := member(message, ciphertextMember); delivery && !errors.As(err, &network) && ctx.Err() == nil {
				c.fail(err)
			}
			return err
		}
	}
}

func (c *Crowd) note(r *Receiver, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at == nil {
		c.at = map[*Node]int{}
	}
	if was := !c.live[r.index].IsZero(); was {
		c.count--
		c.at[r.node]--
	}
	if !since.IsZero() {
		c.count++
		c.at[r.node]++
	}
	c.live[r.index] = since
}

func (c *Crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.breach = errors.Join(c.breach, err)
}

// Live gives since when each of the devices is live that are.
func (c *Crowd) Live() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	var times []time.Time
	for _, since := range c.live {
		if !since.IsZero() {
			times = append(times, since)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// At gives how many are live at a node.
func (c *Crowd) At(node *Node) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at[node]
}

// Await waits until as many are live; with 0 until nobody is.
func (c *Crowd) Await(ctx context.Context, n int, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		c.mu.Lock()
		live, breach := c.count, c.breach
		c.mu.Unlock()
		switch {
		case breach != nil:
			return breach
		case n == 0 && live == 0, n > 0 && live >= n:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("%d devices are live after %v, want %d: %+v, %v", live, patience, n, c.Failures(), c.Reasons())
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Away says whether there is no server at the moment, so that tries that meet none are what is to be expected.
func (c *Crowd) Away(away bool) { c.away.Store(away) }

// Failures gives how many tries made no connection.
func (c *Crowd) Failures() Failures {
	return Failures{c.missed.Load(), c.refused.Load(), c.broken.Load()}
}

// Tally counts, after Leave, what is lost, doubled and out of order of all that the senders were told is accepted.
func (c *Crowd) Tally(senders []*Sender) Result {
	l := Load{Senders: senders, Receivers: c.Receivers}
	return l.tally(0)
}

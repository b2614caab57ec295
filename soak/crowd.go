package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/letterlock/letterlock/internal/load"
	"github.com/letterlock/letterlock/soak/internal/rig"
)

// crowd is many devices that do nothing but stay connected, each with a socket of its own and a subscription, beside those whose history
// is checked. They come back as the SDK does. What is sent to them is counted instead: each gets each envelope once, in order.
type crowd struct {
	load.Crowd
	heralds []*load.Sender // who send to all of them, a part each
	leave   context.CancelFunc
	left    bool
	rest    rest // of the servers, when all had come for the first time
	// heldBefore and heldAfter are what memory the servers held with all connected, before the first storm and after the last.
	heldBefore, heldAfter int64
	opening               func() error // ends the look at how many sockets are opened at once
	storms                []comeback
}

const (
	// perCall is how many devices a call of a herald reaches.
	perCall = 200
	// joining is how many come at once for the first time.
	joining = 32
	// perAddress is how many come from one address of loopback.
	perAddress = 2500
	// otherFiles is how many files may be open beside the crowd's sockets.
	otherFiles = 2000
	// acknowledgeEvery leaves some of what a device has received unacknowledged when its server dies.
	acknowledgeEvery = 3
)

// gather registers a crowd at the servers and has it connect.
func (r *run) gather() error {
	if !r.scenario.crowd {
		return nil
	}
	nodes := make([]*load.Node, len(r.nodes))
	for i, node := range r.nodes {
		known, err := load.NewNode("http://" + node.Address)
		if err != nil {
			return err
		}
		defer known.Close()
		nodes[i] = known.KnownAs(origin)
	}
	people, err := load.Register(r.ctx, nodes, r.options.crowd)
	if err != nil {
		return err
	}
	heralds, err := load.Register(r.ctx, nodes, 1)
	if err != nil {
		return err
	}
	content, err := load.NewContent(128)
	if err != nil {
		return err
	}
	c := &crowd{Crowd: load.Crowd{Comeback: load.AsSDK, Nodes: nodes}}
	c.Receivers = load.NewReceivers(people, nodes, content, 1, load.ReceiverOptions{AcknowledgeEvery: acknowledgeEvery, Buffer: 512, PerAddress: perAddress})
	for part := range slices.Chunk(c.Receivers, perCall) {
		shape := load.Shape{Bulk: true, Messages: len(part), Recipients: 1}
		herald, err := load.NewSender(r.ctx, 0, heralds[0], nodes[0], load.OverHTTP, shape, content, part)
		if err != nil {
			return err
		}
		herald.Close()
		c.heralds = append(c.heralds, herald)
	}
	return r.join(c)
}

// join has all of a crowd connect, and makes sure that they receive.
func (r *run) join(c *crowd) error {
	staying, leave := context.WithCancel(r.ctx)
	c.leave, r.crowd = leave, c
	c.opening = r.watchOpening()
	r.cleanups = append(r.cleanups, func() error { r.disperse(); return nil }) // for runs that break off
	c.Join(staying, c.Receivers, joining)
	if err := c.Await(r.ctx, len(c.Receivers), r.patience); err != nil {
		return err
	}
	if err := c.proclaim(r.ctx, c.Nodes[0], r.patience); err != nil {
		return err
	}
	var err error
	c.heldBefore, _ = r.memory()
	c.rest, err = r.gauges()
	return err
}

// disperse has the crowd hang up, and gives what was wrong with what it received.
func (r *run) disperse() (words []string) {
	c := r.crowd
	if c == nil || c.left {
		return nil
	}
	c.left = true
	c.leave()
	err := errors.Join(c.opening(), c.Leave())
	tally := c.Tally(c.heralds)
	if err := errors.Join(err, tally.Breach()); err != nil {
		words = append(words, fmt.Sprintf("the crowd: %v", err))
	}
	return words
}

// size is how many are in it; none without a crowd.
func (c *crowd) size() int64 {
	if c == nil {
		return 0
	}
	return int64(len(c.Receivers))
}

// proclaim sends an envelope to each of the crowd, and waits until it has arrived at all.
func (c *crowd) proclaim(ctx context.Context, at *load.Node, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, herald := range c.heralds {
		err := herald.Open(ctx, at)
		if err == nil {
			err = herald.SendAtLast(ctx, 100*time.Millisecond)
			herald.Close()
		}
		if err != nil {
			return fmt.Errorf("send to the crowd: %w", err)
		}
	}
	for c.missing() > 0 {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("of what was sent to the crowd, %d envelopes have not arrived within %v", c.missing(), patience)
		}
	}
	return nil
}

// missing is how many envelopes were answered for and have not arrived.
func (c *crowd) missing() (n int64) {
	for _, herald := range c.heralds {
		n += herald.Envelopes()
	}
	for _, receiver := range c.Receivers {
		n -= receiver.Received()
	}
	return n
}

// watchOpening looks at how many sockets the servers open at once until its result is called, which fails if those were more than may be.
func (r *run) watchOpening() func() error {
	ctx, cancel := context.WithCancel(r.ctx)
	result := make(chan error, 1)
	go func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		most := 0
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				if most > mostOpening {
					result <- fmt.Errorf("a server opened %d sockets at once, and may open %d", most, mostOpening)
				}
				close(result)
				return
			}
			for _, node := range r.nodes {
				if now, err := node.Gauge(ctx, rig.SocketsOpening); err == nil { // who is away tells nothing
					most = max(most, now)
				}
			}
		}
	}()
	return func() error {
		cancel()
		return <-result
	}
}

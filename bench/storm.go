package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/letterlock/letterlock/internal/load"
)

// storm is a server that is killed and started again, and all its devices that come back.
type storm struct {
	Devices int           `help:"How many devices come back, each to a socket of its own and a subscription." default:"10000"`
	Waiting int           `help:"For how many of them something waits: they were away before." default:"1000"`
	Each    int           `help:"How many envelopes wait for each of those." default:"5"`
	Senders int           `help:"How many devices send meanwhile, twenty messages a second each, over HTTP." default:"4"`
	Down    time.Duration `help:"How long there is no server." default:"2s"`
	Settle  time.Duration `help:"How long to wait before memory is read when all is over." default:"10s"`
	Most    int           `help:"The most runs: each case takes most of a minute." default:"3"`
	All     bool          `help:"On all stores, and not on the first alone."`
}

const (
	sendEvery = 50 * time.Millisecond
	// fillCall is how many envelopes a call carries that goes to many.
	fillCall = 200
	// stormPatience bounds a storm.
	stormPatience = 3 * time.Minute
)

// Run measures.
func (s *storm) Run(ctx context.Context, b *bench) error {
	if err := b.mustStart(); err != nil {
		return err
	}
	if err := load.AllowFiles(uint64(s.Devices) + 1000); err != nil { //nolint:gosec // a count
		return err
	}
	stores, err := b.stores()
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s devices with a socket and a subscription each; the server is killed and, %v later, started again. *At once*: all connect in the moment in which it listens, "+
		"and after a failure each second. *As the SDK*: each waits at random, longer with each failure, from when it has lost its connection. For %s devices %d envelopes each wait: they are live when they have these, the others when they are subscribed. "+
		"%d other devices send 20 messages a second each meanwhile. Memory is read before the kill and %v after everything.",
		grouped(float64(s.Devices)), s.Down, grouped(float64(s.Waiting)), s.Each, s.Senders, s.Settle)
	if !s.All {
		stores = stores[:1]
	}
	var columns []*column
	for _, store := range stores {
		for _, way := range []struct {
			name string
			back func(ready <-chan struct{}) func() load.Comeback
		}{{"at once", atOnce}, {"as the SDK", asSDK}} {
			columns = append(columns, &column{label: store + ", " + way.name, measure: func(ctx context.Context, binary string) (sample, error) {
				want := wanted{store: store, binary: binary, people: s.Senders + s.Devices}
				return s.run(ctx, b, want, way.back)
			}})
		}
	}
	return b.compare(ctx, tell{"storm", text, min(b.Runs, s.Most)}, columns)
}

// atOnce comes back when the server listens, whoever else does, and a second after each failure.
func atOnce(ready <-chan struct{}) func() load.Comeback {
	return func() load.Comeback {
		return func(ctx context.Context, lost bool, _ error) error {
			if !lost {
				return load.Pass(ctx, time.Second)
			}
			select {
			case <-ready:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// asSDK comes back as the SDK does.
func asSDK(<-chan struct{}) func() load.Comeback { return load.AsSDK }

// stormed is one run.
type stormed struct {
	*storm
	bench   *bench
	world   *world
	want    wanted
	crowd   *load.Crowd
	senders []*load.Sender // all that have sent anything
	before  size
	began   time.Time
	ready   chan struct{} // closed when the new server listens
}

func (s *storm) run(ctx context.Context, b *bench, want wanted, back func(<-chan struct{}) func() load.Comeback) (_ sample, err error) {
	w, err := b.newWorld(ctx, want)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close(ctx)) }()
	r := &stormed{storm: s, bench: b, world: w, want: want, ready: make(chan struct{})}
	w.receives = load.ReceiverOptions{Buffer: 512}
	// Each sender's envelopes are counted apart: those that fill mailboxes, that send meanwhile, and that send to all at the end.
	stamps := calls(s.Waiting) + s.Senders + calls(s.Devices)
	r.crowd = &load.Crowd{Comeback: back(r.ready)}
	r.crowd.Receivers = load.NewReceivers(w.people[s.Senders:], w.nodes(), w.content, stamps, w.receives)
	staying, leave := context.WithCancel(ctx)
	found, err := r.measure(ctx, staying)
	leave()
	err = errors.Join(err, r.crowd.Leave())
	tally := r.crowd.Tally(r.senders)
	if err = errors.Join(err, tally.Breach()); err != nil {
		return nil, err
	}
	found.quantiles("send", "meanwhile, send → answer", tally.Sends)
	return found, nil
}

// calls is how many calls reach n devices.
func calls(n int) int { return (n + fillCall - 1) / fillCall }

func (r *stormed) measure(ctx, staying context.Context) (sample, error) {
	away, present := r.crowd.Receivers[:r.Waiting], r.crowd.Receivers[r.Waiting:]
	r.crowd.Join(staying, present, 32)
	if err := r.crowd.Await(ctx, len(present), stormPatience); err != nil {
		return nil, err
	}
	if err := r.sendToAll(ctx, 0, away, r.Each); err != nil {
		return nil, err
	}
	for _, receiver := range away {
		receiver.Waiting = int64(r.Each)
	}
	if err := r.restart(ctx, staying, away); err != nil {
		return nil, err
	}
	if err := r.meanwhile(ctx); err != nil {
		return nil, err
	}
	return r.results(ctx)
}

// sendToAll sends envelopes to each of some devices, by senders that are numbered from first on.
func (r *stormed) sendToAll(ctx context.Context, first int, to []*load.Receiver, each int) error {
	for ; len(to) > 0; first++ {
		n := min(fillCall, len(to))
		s, err := r.sender(ctx, first, load.Shape{Bulk: true, Messages: n, Recipients: 1}, to[:n])
		for i := 0; err == nil && i < each; i++ {
			_, err = s.Send()
		}
		if err != nil {
			return fmt.Errorf("send to all: %w", err)
		}
		s.Close()
		to = to[n:]
	}
	return nil
}

// sender makes one, which counts in the end.
func (r *stormed) sender(ctx context.Context, index int, shape load.Shape, to []*load.Receiver) (*load.Sender, error) {
	w := r.world
	s, err := load.NewSender(ctx, index, w.people[index%r.Senders], w.servers[0].Node, load.OverHTTP, shape, w.content, to)
	if err == nil {
		r.senders = append(r.senders, s)
	}
	return s, err
}

// restart kills the server, and starts it again a while later.
func (r *stormed) restart(ctx, staying context.Context, away []*load.Receiver) (err error) {
	w := r.world
	old := w.servers[0]
	if r.before, err = old.size(ctx); err != nil {
		return err
	}
	r.crowd.Away(true)
	if err := old.kill(); err != nil {
		return err
	}
	if err := r.crowd.Await(ctx, 0, stormPatience); err != nil {
		return err
	}
	r.crowd.Return(staying, away)
	if err := load.Pass(ctx, r.Down); err != nil {
		return err
	}
	started, err := launchAt(r.want.binary, w.store, old.address, old.metrics, r.want.env...)
	if err != nil {
		return err
	}
	w.servers[0], w.meter.servers = started, started.process()
	w.meter.begin()
	err = waitUntil(ctx, 30*time.Second, started.listens)
	r.began = time.Now()
	r.crowd.Away(false)
	close(r.ready)
	return err
}

// meanwhile sends until all devices are back.
func (r *stormed) meanwhile(ctx context.Context) error {
	sending, stop := context.WithCancel(ctx)
	defer stop()
	var group errgroup.Group
	for i := range r.Senders {
		s, err := r.sender(ctx, calls(r.Waiting)+i, load.One(), r.crowd.Receivers)
		if err != nil {
			return err
		}
		defer s.Close()
		group.Go(func() error { return s.Steady(sending, sendEvery) })
	}
	err := r.crowd.Await(ctx, r.Devices, stormPatience)
	r.world.meter.end()
	stop()
	return errors.Join(err, group.Wait())
}

// results makes sure that all devices receive, lets everything settle, and tells.
func (r *stormed) results(ctx context.Context) (sample, error) {
	server := r.world.servers[0]
	live := r.crowd.Live()
	failures := r.crowd.Failures()
	for reason, n := range r.crowd.Reasons() {
		r.bench.note("%d tries broke off: %s", n, reason)
	}
	if err := r.sendToAll(ctx, calls(r.Waiting)+r.Senders, r.crowd.Receivers, 1); err != nil {
		return nil, err
	}
	if err := waitUntil(ctx, stormPatience, func(context.Context) bool { return r.arrived() }); err != nil {
		return nil, fmt.Errorf("not all devices receive: %w", err)
	}
	received := time.Since(r.began)
	peak, err := server.process()[0].memory(residentPeak)
	if err != nil {
		return nil, err
	}
	if err := load.Pass(ctx, r.Settle); err != nil {
		return nil, err
	}
	after, err := server.size(ctx)
	if err != nil {
		return nil, err
	}
	spent, err := r.world.meter.spent()
	if err != nil {
		return nil, err
	}
	at := func(share float64) float64 { return float64(live[int(share*float64(len(live)-1))].Sub(r.began)) }
	n := float64(r.Devices)
	var s sample
	s.add("first", "first is live again after", duration, at(0))
	s.add("half", "half are", duration, at(0.5))
	s.add("most", "99 % are", duration, at(0.99))
	s.add("all", "all are", duration, at(1))
	s.add("proven", "what was sent to all then has arrived at all after", duration, float64(received))
	s.add("missed", "tries while there was no server", number, float64(failures.Missed))
	s.add("refused", "tries that were refused, with when to come again", number, float64(failures.Refused))
	s.add("broken", "tries that broke off", number, float64(failures.Broken))
	s.add("memory_before", "server memory before", memory, r.before.resident)
	s.add("memory_peak", "server memory, peak", memory, peak)
	s.add("memory_after", "server memory after", memory, after.resident)
	if r.before.gauges != nil && after.gauges != nil {
		s.add("goroutines_before", "goroutines before", number, r.before.gauges[goroutines])
		s.add("goroutines_after", "goroutines after", number, after.gauges[goroutines])
	}
	s.add("server_cpu", "CPU per device: server", duration, float64(spent.servers)/n)
	if r.world.meter.database != 0 {
		s.add("database_cpu", "CPU per device: PostgreSQL", duration, float64(spent.database)/n)
	}
	s.add("generator_cpu", "CPU per device: load generator", duration, float64(spent.generator)/n)
	s.add("others", "share of the machine taken by others", share, spent.others())
	return s, nil
}

// arrived reports whether all that was accepted has arrived.
func (r *stormed) arrived() bool {
	var accepted, received int64
	for _, s := range r.senders {
		accepted += s.Envelopes()
	}
	for _, receiver := range r.crowd.Receivers {
		received += receiver.Received()
	}
	return received >= accepted
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/letterlock/letterlock/internal/load"
)

// idle is many devices that are connected and to whom nothing happens.
type idle struct {
	Connections  int           `help:"How many devices are connected, each with an open subscription." default:"10000"`
	PingInterval time.Duration `help:"The server's ping interval; two of them pass before memory is read." default:"5s"`
}

// few connections are open before memory is read for the first time, so that what a server needs once is not counted.
const few = 100

// Run measures.
func (i *idle) Run(ctx context.Context, b *bench) (err error) {
	if err := b.mustStart(); err != nil {
		return err
	}
	if err := load.AllowFiles(uint64(i.Connections) + 1000); err != nil { //nolint:gosec // a count
		return err
	}
	stores, err := b.stores()
	if err != nil {
		return err
	}
	worlds := map[wantedFor]*world{} // people are registered once for each binary
	defer func() {
		for _, w := range worlds {
			err = errors.Join(err, w.close(ctx))
		}
	}()
	text := fmt.Sprintf("%s devices, each with a socket of its own and an open subscription, two ping intervals of %v after the last has connected; the server was just started. "+
		"What it had with %d connections is taken off; on SQLite the rest still has the caches of its pages, some 16 MiB for any number of connections. Heap and stacks are read after a collection. "+
		"Where there is NATS, the server listens to it for each of the devices.",
		grouped(float64(i.Connections)), i.PingInterval, few)
	var columns []*column
	for _, c := range i.cases(b, stores) {
		columns = append(columns, &column{label: c.label, measure: func(ctx context.Context, binary string) (sample, error) {
			if err := able(ctx, b, binary, c.nats); err != nil {
				return nil, err
			}
			want := wanted{store: c.store, binary: binary, nats: c.nats, people: i.Connections + 1, env: []string{"LETTERLOCK_PING_INTERVAL=" + i.PingInterval.String()}}
			key := wantedFor{c.label, binary}
			if worlds[key] == nil {
				w, err := b.newWorld(ctx, want)
				if err != nil {
					return nil, err
				}
				worlds[key] = w
			}
			return i.run(ctx, b, worlds[key], want)
		}})
	}
	return b.compare(ctx, tell{"idle", text, b.Runs}, columns)
}

// idleCase is what a server keeps its connections beside.
type idleCase struct {
	label, store string
	nats         bool
}

// cases are the stores, and PostgreSQL with NATS where there is a server of it.
func (i *idle) cases(b *bench, stores []string) (cases []idleCase) {
	for _, store := range stores {
		cases = append(cases, idleCase{label: store, store: store})
		if store == postgresql && b.NATSServer != "" {
			cases = append(cases, idleCase{label: store + ", NATS", store: store, nats: true})
		}
	}
	return cases
}

// wantedFor names a world.
type wantedFor struct{ label, binary string }

func (i *idle) run(ctx context.Context, b *bench, w *world, want wanted) (_ sample, err error) {
	if err := w.restart(ctx, b, want); err != nil {
		return nil, err
	}
	w.receives = load.ReceiverOptions{Buffer: 512}
	receivers := w.receivers(1)
	defer func() {
		for _, r := range receivers {
			err = errors.Join(err, r.Close())
		}
	}()
	if err := openAll(ctx, receivers[:few]); err != nil {
		return nil, err
	}
	before, err := w.size(ctx)
	if err != nil {
		return nil, err
	}
	w.meter.begin()
	began := time.Now()
	if err := openAll(ctx, receivers[few:]); err != nil {
		return nil, err
	}
	connecting := time.Since(began)
	w.meter.end()
	connected, err := w.meter.spent()
	if err != nil {
		return nil, err
	}
	w.meter.begin()
	if err := load.Pass(ctx, 2*i.PingInterval); err != nil {
		return nil, err
	}
	w.meter.end()
	after, err := w.size(ctx)
	if err != nil {
		return nil, err
	}
	quiet, err := w.meter.spent()
	if err != nil {
		return nil, err
	}
	n := float64(len(receivers) - few)
	var s sample
	s.add("resident", "resident memory per connection", memory, (after.resident-before.resident)/n)
	if after.gauges != nil {
		in := func(name string) float64 { return (after.gauges[name] - before.gauges[name]) / n }
		s.add("in_use", "heap pages and stacks per connection", memory, in(heapInUse)+in(stackInUse))
		s.add("live", "live heap and stacks per connection", memory, in(heapLive)+in(stackInUse))
		s.add("goroutines", "goroutines per connection", decimal, in(goroutines))
	}
	if w.nats != nil {
		s.add("nats_resident", "resident memory of the NATS server per connection", memory, (after.nats-before.nats)/n)
	}
	s.add("ping_cpu", "server CPU per connection and ping interval", duration, float64(quiet.servers)/2/float64(len(receivers)))
	s.add("connects_per_second", "connections made/s, 32 at a time", number, n/connecting.Seconds())
	s.add("connect_cpu", "server CPU per connection made, token and subscription included", duration, float64(connected.servers)/n)
	s.add("server_resident", "server memory in all", memory, after.resident)
	return s, w.alive(ctx, receivers)
}

func openAll(ctx context.Context, receivers []*load.Receiver) error {
	group := errgroup.Group{}
	group.SetLimit(32)
	for _, r := range receivers {
		group.Go(func() error { return r.Open(ctx, func() bool { return false }) })
	}
	return group.Wait()
}

// size is a server's memory at one time.
type size struct {
	resident float64
	gauges   map[string]float64 // nil without metrics
	nats     float64            // resident, of the NATS server
}

// size gives that of the first server, and of NATS.
func (w *world) size(ctx context.Context) (size, error) {
	found, err := w.servers[0].size(ctx)
	if err == nil && w.nats != nil {
		found.nats, err = w.meter.nats.memory(residentNow)
	}
	return found, err
}

func (s *server) size(ctx context.Context) (size, error) {
	resident, err := s.process()[0].memory(residentNow)
	if err != nil {
		return size{}, err
	}
	gauges, err := s.gauges(ctx)
	return size{resident: resident, gauges: gauges}, err
}

// alive makes sure that all are still connected, and that those who are sent something receive it.
func (w *world) alive(ctx context.Context, receivers []*load.Receiver) error {
	for _, r := range receivers {
		select {
		case <-r.Failed():
			return errors.New("a subscription has ended")
		default:
		}
	}
	shape := load.Shape{Messages: 1, Recipients: 16}
	sender, err := load.NewSender(ctx, 0, w.people[0], w.servers[0].Node, load.OverSocket, shape, w.content, receivers)
	if err != nil {
		return err
	}
	defer sender.Close()
	if _, err := sender.Send(); err != nil {
		return err
	}
	reached := receivers[:shape.Recipients]
	err = waitUntil(ctx, 10*time.Second, func(context.Context) bool {
		var arrived int64
		for _, r := range reached {
			arrived += r.Received()
		}
		return arrived == sender.Envelopes()
	})
	for _, r := range reached { // nothing waits for the next run
		if err == nil {
			err = r.Close()
		}
		if err == nil {
			_, err = r.AcknowledgeAll(ctx)
		}
	}
	return err
}

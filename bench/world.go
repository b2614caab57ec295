package main

import (
	"context"
	"errors"

	"github.com/letterlock/letterlock/internal/load"
)

// world is what one run happens in: a store, the servers over it, and people.
type world struct {
	store    *store
	servers  []*server
	nats     *natsServer // nil without
	people   []*load.Person
	content  *load.Content
	receives load.ReceiverOptions
	meter    *meter
}

// wanted says what a world has.
type wanted struct {
	store  string
	binary string
	nodes  int // 0 is one
	nats   bool
	people int
	env    []string
}

// newWorld makes one; close takes it down again.
func (b *bench) newWorld(ctx context.Context, want wanted) (_ *world, err error) {
	w := &world{meter: &meter{}, receives: load.AsClients()}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close(ctx))
		}
	}()
	if w.content, err = load.NewContent(b.Size); err != nil {
		return w, err
	}
	if w.store, err = b.newStore(ctx, want.store); err != nil {
		return w, err
	}
	w.meter.database = w.store.postgres
	env, err := w.wire(ctx, b, want)
	if err != nil {
		return w, err
	}
	for range max(want.nodes, 1) {
		s, err := b.startServer(ctx, want.binary, w.store, env...)
		if err != nil {
			return w, err
		}
		w.servers = append(w.servers, s)
		w.meter.servers = append(w.meter.servers, s.process()...)
	}
	w.people, err = load.Register(ctx, w.nodes(), want.people)
	return w, err
}

// wire starts NATS, if it is wanted, and gives the environment of servers.
func (w *world) wire(ctx context.Context, b *bench, want wanted) (env []string, err error) {
	if !want.nats {
		return want.env, nil
	}
	if w.nats, err = startNATS(ctx, b.NATSServer); err != nil {
		return nil, err
	}
	w.meter.nats = process(w.nats.cmd.Process.Pid)
	return append([]string{"LETTERLOCK_NATS=" + w.nats.url}, want.env...), nil
}

// restart puts a new server in the place of the only one, and of NATS.
func (w *world) restart(ctx context.Context, b *bench, want wanted) error {
	if err := w.servers[0].stop(); err != nil {
		return err
	}
	if w.nats != nil {
		if err := w.nats.stop(); err != nil {
			return err
		}
	}
	env, err := w.wire(ctx, b, want)
	if err != nil {
		return err
	}
	s, err := b.startServer(ctx, want.binary, w.store, env...)
	if err != nil {
		return err
	}
	w.servers[0], w.meter.servers = s, s.process()
	return nil
}

func (w *world) nodes() []*load.Node {
	nodes := make([]*load.Node, len(w.servers))
	for i, s := range w.servers {
		nodes[i] = s.Node
	}
	return nodes
}

// receivers makes one of each of the people behind the senders.
func (w *world) receivers(senders int) []*load.Receiver {
	return load.NewReceivers(w.people[senders:], w.nodes(), w.content, senders, w.receives)
}

// senders makes n, spread over the nodes.
func (w *world) senders(ctx context.Context, n int, way load.Way, shape load.Shape, receivers []*load.Receiver) ([]*load.Sender, error) {
	senders := make([]*load.Sender, 0, n)
	for i := range n {
		s, err := load.NewSender(ctx, i, w.people[i], w.servers[i%len(w.servers)].Node, way, shape, w.content, receivers)
		if err != nil {
			for _, opened := range senders {
				opened.Close()
			}
			return nil, err
		}
		senders = append(senders, s)
	}
	return senders, nil
}

// close ends and deletes everything.
func (w *world) close(ctx context.Context) (err error) {
	for _, s := range w.servers {
		err = errors.Join(err, s.stop())
	}
	if w.nats != nil {
		err = errors.Join(err, w.nats.stop())
	}
	if w.store != nil {
		err = errors.Join(err, w.store.close(ctx))
	}
	return err
}

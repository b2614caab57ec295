package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/letterlock/letterlock/soak/internal/history"
)

// Config says who does how much.
type Config struct {
	// Seed repeats what is drawn; what meets what is up to the machine.
	Seed uint64
	// Nodes are the addresses of the servers, which stay the same when one starts again.
	Nodes []string
	// Origin is what tokens name.
	Origin string
	// People are how many users there are, DevicesEach how many devices each has at the most.
	People, DevicesEach int
	// Load is how long they work, from when all are registered.
	Load time.Duration
	// Pace is the longest pause between two sends of a device.
	Pace time.Duration
	// ChangeEvery is how often a user adds or removes a device.
	ChangeEvery time.Duration
	// CallTimeout is how long an answer is waited for.
	CallTimeout time.Duration
	// ClockMoves says that the server's clock jumps, and that devices go by it.
	ClockMoves bool
	// Certain says that no refusal may leave open whether anything was stored.
	Certain bool
	// Quiet is called when all that was sent has come, and devices only listen; its error is one of the problems. It may be nil.
	Quiet func(context.Context) error
	// Patience is how long everything may take to get quiet at the end.
	Patience time.Duration
}

// world is everybody.
type world struct {
	Config
	log      *history.Log
	http     *http.Client
	people   []*person
	readings atomic.Int64
	devices  atomic.Uint64
	ahead    atomic.Int64 // nanoseconds that the devices' clock is ahead

	sending, reading *errgroup.Group
	// load is over when nothing new begins, work when what has begun must have ended, calm when nobody listens any more.
	load, work, calm, all context.Context //nolint:containedctx // devices that join later run as long as the others

	mu       sync.Mutex
	problems []string
	living   []*device // those that are listed
}

// kept is how many problems are kept in words.
const kept = 50

// Run has everybody work, then lets the work that has begun come to its end. trouble runs beside and must leave all as it should be
// when its context ends; its error is one of the problems. Problems are answers that no device should get, and what does not end; the
// contract is the checker's.
func Run(ctx context.Context, c Config, log *history.Log, trouble func(context.Context) error) (problems []string, err error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	all, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &world{Config: c, log: log, http: &http.Client{Transport: transport}, all: all}
	if err := w.register(all); err != nil {
		return nil, err
	}
	if err := w.labour(trouble); err != nil {
		return nil, err
	}
	err = w.drain(all)
	return w.problems, err
}

// labour has everybody work until all that has begun has ended and come.
func (w *world) labour(trouble func(context.Context) error) error {
	calm, hush := context.WithCancel(w.all)
	defer hush()
	work, halt := context.WithCancel(w.all)
	defer halt()
	load, stop := context.WithTimeout(work, w.Load)
	defer stop()
	w.load, w.work, w.calm = load, work, calm
	w.sending, w.reading = new(errgroup.Group), new(errgroup.Group)
	for _, p := range w.people {
		w.start(p.devices[0])
		w.sending.Go(func() error { return w.worry(stop, w.changes(p)) })
	}
	if err := trouble(load); err != nil {
		w.problem("%v", err)
	}
	stop()
	bound := time.AfterFunc(w.Patience, func() {
		w.problem("calls were not answered within %v after the trouble", w.Patience)
		halt()
	})
	err := w.sending.Wait()
	bound.Stop()
	if err == nil {
		w.settle()
		w.quiet()
	}
	hush()
	return errors.Join(err, w.reading.Wait())
}

// register makes everybody with one device each; more are added on the way.
func (w *world) register(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for range w.People {
		p, err := newPerson()
		if err != nil {
			return err
		}
		d := p.devices[0]
		w.adopt(d)
		w.people = append(w.people, p)
		key := p.key.PublicKey()
		input := map[string]any{"userKey": b64(key[:]), "deviceList": b64(p.list.Statement())}
		group.Go(func() error {
			if err := d.until(ctx, registerKey, map[string]any{"input": input}, nil); err != nil {
				return fmt.Errorf("register: %w", err)
			}
			d.log(history.Event{Kind: history.Added})
			p.published(p.list, p.devices)
			return nil
		})
	}
	return group.Wait()
}

// adopt makes a device one of this world.
func (w *world) adopt(d *device) {
	d.world, d.removed = w, make(chan struct{})
	d.random = rand.New(rand.NewPCG(w.Seed, w.devices.Add(1))) // #nosec G404 -- a run is to be repeated
}

// start has a device work.
func (w *world) start(d *device) {
	w.mu.Lock()
	w.living = append(w.living, d)
	w.mu.Unlock()
	w.sending.Go(func() error { return d.sends() })
	w.reading.Go(func() error { return d.reads() })
}

// forget takes a device out of those that are listed.
func (w *world) forget(d *device) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.living = slices.DeleteFunc(w.living, func(other *device) bool { return other == d })
}

// worry ends the load after an error that is the driver's own.
func (w *world) worry(stop func(), err error) error {
	if err != nil {
		stop()
	}
	return err
}

// settle waits until everything that was answered has come, to devices that only listen.
func (w *world) settle() {
	ctx, cancel := context.WithTimeout(w.all, w.Patience)
	defer cancel()
	owed := 1
	for owed > 0 && sleep(ctx, 20*time.Millisecond) {
		w.log.Look(func(c *history.Checker) { owed = c.Owed() })
	}
	if owed > 0 {
		w.problem("%d envelopes did not come within %v after all had become quiet", owed, w.Patience)
	}
}

func (w *world) quiet() {
	if w.Quiet == nil {
		return
	}
	if err := w.Quiet(w.all); err != nil {
		w.problem("%v", err)
	}
}

// drain reads every mailbox to its end. One that cannot be read in time is a problem of the server.
func (w *world) drain(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, w.Patience)
	defer cancel()
	group, bounded := errgroup.WithContext(bounded)
	group.SetLimit(8)
	for _, d := range w.living {
		group.Go(func() error {
			err := d.drain(bounded)
			if errors.Is(err, context.DeadlineExceeded) {
				w.problem("the mailbox of %s could not be read and acknowledged to its end within %v", d.id, w.Patience)
				return nil
			}
			return err
		})
	}
	return group.Wait()
}

// problem notes what should not have been answered.
func (w *world) problem(format string, values ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.problems) < kept {
		w.problems = append(w.problems, fmt.Sprintf(format, values...))
	}
}

// after calls f some time after a channel was closed, unless what it gives is called before.
func (w *world) after(c <-chan struct{}, pause time.Duration, f func()) (stop func()) {
	ctx, cancel := context.WithCancel(w.all)
	go func() {
		select {
		case <-c:
			if sleep(ctx, pause) {
				f()
			}
		case <-ctx.Done():
		}
	}()
	return cancel
}

func jitter(d *device, most time.Duration) time.Duration { return time.Duration(d.number(int(most))) }

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/letterlock/letterlock/soak/internal/drive"
	"github.com/letterlock/letterlock/soak/internal/history"
	"github.com/letterlock/letterlock/soak/internal/rig"
)

const (
	// origin is what clients know all nodes by.
	origin = "https://chat.example.org"
	// mostDevices is how many devices of a user there may be.
	mostDevices = 3
	// callTimeout is how long devices wait for an answer. It is short, so that many calls go unanswered.
	callTimeout = time.Second
	// requestTimeout is the server's for requests: shorter than the longest time that things stand still.
	requestTimeout = 5 * time.Second
	// patientTimeout is longer than the server tries to store something.
	patientTimeout = 12 * time.Second
)

// options are what is common to the runs of a program.
type options struct {
	program  string // the server
	seed     uint64
	duration time.Duration
	people   int
	crowd    int // how many are in it, where a scenario has one
	// patience is how long everything may take to get quiet after the trouble.
	patience time.Duration
	// histories is the directory where histories are written down; empty for nowhere.
	histories string
	// postgres is where runs have their databases; nil without.
	postgres *rig.Postgres
}

// run is one scenario on one store.
type run struct {
	options
	scenario

	// ctx holds until the run is over, trouble or not.
	ctx      context.Context //nolint:containedctx // what was broken is repaired when the trouble's own has ended
	store    string
	random   *rand.Rand // the trouble's
	dir      string
	url      string     // of the database, without the proxy
	database *rig.Proxy // between the servers and PostgreSQL
	space    *rig.Space // with disks of the store's own; nil without
	disks    []string   // their directories
	fickle   *rig.Fickle
	nats     *rig.NATS
	ways     []*rig.Proxy // from each server to NATS
	front    []*rig.Proxy // from the devices to each server
	nodes    []*rig.Node
	log      *history.Log
	faults   atomic.Int64
	crowd    *crowd // nil without
	// endsInOrder says whether the last server that ended did so in order, and was not killed.
	endsInOrder bool
	stood       bool // whether anything has stood still for long
	cleanups    []func() error
}

// result is what came of a run.
type result struct {
	scenario, store     string
	seed                uint64
	took                time.Duration
	operations          int64
	answered, lost      int64 // tries of sends
	faults              int64
	breaches            int64
	words               []string // what is wrong
	remarks             []string // what else is worth telling
	before, peak, after int64    // memory of the servers, in bytes
}

// do runs a scenario on a store. The error is about the run itself; what is wrong with the server is in the result.
func do(ctx context.Context, s scenario, store string, o options) (_ *result, err error) {
	r := &run{options: o, scenario: s, ctx: ctx, store: store}
	r.random = rand.New(rand.NewPCG(o.seed, 1<<40)) // #nosec G404 -- a run is to be repeated
	defer func() {
		for i := range r.cleanups {
			err = errors.Join(err, r.cleanups[len(r.cleanups)-1-i]())
		}
	}()
	if err := r.setUp(); err != nil {
		return nil, err
	}
	return r.drive()
}

// drive has the devices work, and judges.
func (r *run) drive() (*result, error) {
	result := &result{scenario: r.name, store: r.store, seed: r.seed}
	began := time.Now()
	file, err := r.openHistory()
	if err != nil {
		return nil, err
	}
	r.log = history.NewLog(file)
	idle, err := r.gauges()
	if err != nil {
		return nil, err
	}
	result.before, _ = r.memory()
	peak := r.watchMemory()
	if err := r.gather(); err != nil {
		return nil, fmt.Errorf("gather a crowd on %s: %w", r.store, err)
	}
	problems, err := drive.Run(r.ctx, r.config(), r.log, func(ctx context.Context) error { return r.trouble(ctx, r) })
	problems = append(problems, r.disperse()...)
	result.peak, result.remarks = peak(), r.crowd.told()
	if err != nil {
		return nil, fmt.Errorf("%s on %s with seed %d: %w", r.name, r.store, r.seed, err)
	}
	problems = append(problems, r.awaitRest(idle, r.slack())...)
	after, hoards := r.awaitMemory(result.before)
	result.after, problems = after, append(problems, hoards...)
	checker, err := r.log.Close()
	if err != nil {
		return nil, err
	}
	result.operations, result.faults = checker.Operations(), r.faults.Load()
	result.answered, result.lost = checker.Count(history.Stored), checker.Count(history.Unanswered)
	breaches, n := checker.Breaches()
	for _, b := range breaches {
		result.words = append(result.words, b.String())
	}
	result.words = append(append(result.words, problems...), r.stopNodes()...)
	result.breaches = n + int64(len(result.words)-len(breaches))
	result.took = time.Since(began)
	return result, nil
}

func (r *run) config() drive.Config {
	c := drive.Config{
		Seed: r.seed, Origin: origin, Load: r.duration, People: r.people, DevicesEach: mostDevices, Pace: 10 * time.Millisecond, ChangeEvery: 2 * time.Second,
		CallTimeout: callTimeout, Patience: r.patience,
	}
	c.ClockMoves, c.Certain = r.clock, slices.Contains(r.certain, r.store)
	if r.patient {
		c.CallTimeout = patientTimeout
	}
	if r.clock {
		c.Quiet = r.idlesAfterJumps
	}
	for _, front := range r.front {
		c.Nodes = append(c.Nodes, front.Address)
	}
	return c
}

// stopNodes ends the servers in order, and gives what they did not do well.
func (r *run) stopNodes() (words []string) {
	for i, node := range r.nodes {
		if err := errors.Join(node.Alive(), node.Stop()); err != nil {
			words = append(words, fmt.Sprintf("node %d: %v", i+1, err))
		}
	}
	return append(words, r.readLogs()...)
}

// anyNode draws one.
func (r *run) anyNode() *rig.Node { return r.nodes[r.random.IntN(len(r.nodes))] }

// beat is how long nothing happens, about: short runs have trouble too.
func (r *run) beat() time.Duration { return min(2*time.Second, r.duration/6) }

// fault counts one.
func (r *run) fault() { r.faults.Add(1) }

// until waits until something is so, for as long as that may take.
func (r *run) until(what string, is func() bool) error {
	ctx, cancel := context.WithTimeout(r.ctx, r.patience)
	defer cancel()
	for !is() {
		if !r.wait(ctx, 10*time.Millisecond, 30*time.Millisecond) {
			return fmt.Errorf("%s within %v", what, r.patience)
		}
	}
	return nil
}

// count gives how many events of a kind there were.
func (r *run) count(kind history.Kind) (n int64) {
	r.log.Look(func(c *history.Checker) { n = c.Count(kind) })
	return n
}

// wait waits for a while between two bounds, and tells whether the trouble goes on.
func (r *run) wait(ctx context.Context, least, most time.Duration) bool {
	timer := time.NewTimer(least + time.Duration(r.random.Int64N(int64(most-least))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

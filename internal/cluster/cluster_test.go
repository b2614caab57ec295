package cluster_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testmain"
	"github.com/letterlock/letterlock/internal/testnats"
	"github.com/letterlock/letterlock/internal/testserver"
)

// What the test does: bounded by work, not by time.
const (
	nodeCount     = 3
	senderCount   = 16
	receiverCount = 6
	perSender     = 120
	allSends      = senderCount * perSender
)

// patience bounds the whole test, if it hangs.
const patience = 3 * time.Minute

// origin is what clients know all nodes by.
const origin = "https://chat.example.org"

// seedVariable repeats a run, as far as chance goes: kills meet whatever is going on.
const seedVariable = "LETTERLOCK_TEST_SEED"

// program is the server, built for this test.
var program string

func TestMain(m *testing.M) {
	os.Exit(testmain.WithServer(m, &program))
}

// cluster is several nodes with all that they need.
type cluster struct {
	t     testing.TB
	seed  uint64
	nodes []*node
	nats  []*testnats.Server
	// progress counts the acknowledged sends.
	progress atomic.Int64
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, seed: rand.Uint64(), nats: testnats.Cluster(t, nodeCount)}
	if given := os.Getenv(seedVariable); given != "" {
		var err error
		if c.seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s=%d", seedVariable, c.seed)
	env := nodeEnv(testdb.Config(t, database.PostgreSQL).URL, testnats.URLs(c.nats))
	for range nodeCount {
		n := &node{t: t, env: env}
		n.start()
		t.Cleanup(func() { n.end(syscall.SIGTERM) })
		c.nodes = append(c.nodes, n)
	}
	return c
}

// register makes a user with a device.
func (c *cluster) register(ctx context.Context, n uint64) *client {
	c.t.Helper()
	person := testserver.NewPerson(c.t)
	client := c.newClient(person.Devices[0], n)
	err := client.call(ctx, testserver.RegisterKey, map[string]any{"input": person.Registration()}, &struct{}{})
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// Nodes are killed and stopped, and NATS is cut, while clients send and receive at all of them: what was acknowledged arrives,
// once, and in order.
func TestNodesDieAtWork(t *testing.T) {
	c := newCluster(t)
	bounded, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	senders, receivers := c.people(bounded)

	receiving, ctx := errgroup.WithContext(bounded) // a breach ends all of it
	listening, stopListening := context.WithCancel(ctx)
	defer stopListening()
	for _, r := range receivers {
		receiving.Go(func() error { return r.run(listening) })
	}
	sending, sendCtx := errgroup.WithContext(ctx)
	for _, s := range senders {
		sending.Go(func() error { return s.run(sendCtx, perSender, receivers) })
	}
	var trouble sync.WaitGroup
	trouble.Go(func() { c.troubleNodes(sendCtx) })
	trouble.Go(func() { c.troubleNATS(sendCtx) })
	if err := sending.Wait(); err != nil {
		t.Errorf("send: %v", err)
	}
	trouble.Wait()
	c.awaitAll(ctx, senders, receivers)
	stopListening()
	if err := receiving.Wait(); err != nil {
		t.Errorf("receive: %v", err)
	}
	if !t.Failed() {
		c.verify(senders, receivers)
		c.nothingBehind(bounded, receivers)
	}
}

// people registers everybody.
func (c *cluster) people(ctx context.Context) (senders []*sender, receivers []*receiver) {
	for n := range uint64(senderCount) {
		senders = append(senders, &sender{client: c.register(ctx, n), sent: make(map[*receiver][]string)})
	}
	for n := range uint64(receiverCount) {
		receivers = append(receivers, &receiver{client: c.register(ctx, senderCount+n)})
	}
	return senders, receivers
}

// troubleNodes takes nodes away, one at a time, and gives them back: killed, or told to stop.
func (c *cluster) troubleNodes(ctx context.Context) {
	random := rand.New(rand.NewPCG(c.seed, 1<<32))
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL, syscall.SIGKILL}
	for i, at := range points(random, len(signals)) {
		if !c.reach(ctx, at) {
			return
		}
		n := c.nodes[random.IntN(len(c.nodes))]
		n.end(signals[i])
		c.reach(ctx, at+random.IntN(allSends/16))
		n.start()
	}
}

// troubleNATS takes one server of NATS away, or all, and gives them back.
func (c *cluster) troubleNATS(ctx context.Context) {
	random := rand.New(rand.NewPCG(c.seed, 1<<33))
	for i, at := range points(random, 3) {
		if !c.reach(ctx, at) {
			return
		}
		cut := c.nats
		if i != 1 {
			one := random.IntN(len(c.nats))
			cut = c.nats[one : one+1]
		}
		for _, s := range cut {
			s.Stop()
		}
		c.reach(ctx, at+random.IntN(allSends/8))
		for _, s := range cut {
			s.Restart()
		}
	}
}

// points gives when something happens, in sends, in order.
func points(random *rand.Rand, n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = random.IntN(allSends * 9 / 10)
	}
	slices.Sort(list)
	return list
}

// reach waits until so many sends were acknowledged, and tells whether they were.
func (c *cluster) reach(ctx context.Context, sends int) bool {
	for c.progress.Load() < int64(sends) {
		if ctx.Err() != nil {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}

// awaitAll waits until the receivers have as much as was sent to them.
func (c *cluster) awaitAll(ctx context.Context, senders []*sender, receivers []*receiver) {
	for _, r := range receivers {
		want := 0
		for _, s := range senders {
			want += len(s.sent[r])
		}
		for r.count.Load() < int64(want) {
			if ctx.Err() != nil {
				c.t.Errorf("a receiver got %d of %d messages", r.count.Load(), want)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// nothingBehind checks that the store has nothing for the receivers beyond what they got: no send was stored twice.
func (c *cluster) nothingBehind(ctx context.Context, receivers []*receiver) {
	for i, r := range receivers {
		if left, err := r.rest(ctx); err != nil || left > 0 {
			c.t.Errorf("behind the last message of receiver %d are %d more: %v", i, left, err)
		}
	}
}

// verify compares what was acknowledged with what has arrived: of each sender the same messages in the same order, and nothing
// else from anybody.
func (c *cluster) verify(senders []*sender, receivers []*receiver) {
	total := 0
	for i, r := range receivers {
		from := map[string]*sender{}
		for _, s := range senders {
			for _, id := range s.sent[r] {
				from[id] = s
			}
		}
		arrived := map[*sender][]string{}
		for _, id := range r.got {
			arrived[from[id]] = append(arrived[from[id]], id)
		}
		if unknown := arrived[nil]; len(unknown) > 0 {
			c.t.Errorf("receiver %d got %d messages that nobody has an answer for", i, len(unknown))
		}
		for j, s := range senders {
			if !slices.Equal(arrived[s], s.sent[r]) {
				c.t.Errorf("of sender %d receiver %d got %d messages of %d, or in another order", j, i, len(arrived[s]), len(s.sent[r]))
			}
		}
		total += len(r.got)
	}
	for i, n := range c.nodes {
		if defects := n.defects(); defects != "" {
			c.t.Errorf("node %d has logged mistakes of its own:\n%s", i, defects)
		}
	}
	c.t.Logf("%d sends, %d envelopes", c.progress.Load(), total)
}

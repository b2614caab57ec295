package main

import (
	"context"

	"github.com/letterlock/letterlock/internal/load"
	"github.com/letterlock/letterlock/soak/internal/rig"
)

// The stores.
const (
	sqlite     = "SQLite"
	postgresql = "PostgreSQL"
)

// scenario is one kind of trouble.
type scenario struct {
	name   string
	about  string
	nodes  int // more than one meet at NATS
	stores []string
	// settings go into the URL of PostgreSQL.
	settings string
	// ownDisk has the store on disks of its own, which can be full.
	ownDisk bool
	// readOnly has the store on what can become read-only.
	readOnly bool
	// clock has the server go by a clock that can be moved.
	clock bool
	// patient has devices wait until the server has given up.
	patient bool
	// certain are the stores on which whatever is refused is certain not to be stored.
	certain []string
	// quiet is one in which there may be no fault at all.
	quiet bool
	// says are words that have to be in the log of some server after a run that was long enough, by store: those by which an operator
	// knows what has happened.
	says map[string][]string
	// silent are the stores on which the log may hold no warning: nothing happens that an operator could do something about.
	silent []string
	// crowd has many devices be connected besides.
	crowd bool
	// env are settings of its servers, over those of all.
	env []string
	// possible tells why it cannot run on this machine; nil where that is a matter of disks alone.
	possible func(context.Context) error
	// trouble is made until ctx ends; then all is as it was.
	trouble func(context.Context, *run) error
}

// scenarios gives all of them, in the order in which they run.
func scenarios() []scenario {
	both, shared := []string{sqlite, postgresql}, []string{postgresql}
	starts := say(both, "msg=serving ")
	again := say(shared, "mailbox: a batch is tried again")
	crowded := say(both, "many sockets are being opened at once")
	return []scenario{
		{name: "calm", about: "nothing happens to the server", nodes: 1, stores: both, quiet: true, silent: both, trouble: calm},
		{name: "kill", about: "the server is killed (SIGKILL) and started again", nodes: 1, stores: both, says: starts, trouble: killing},
		{name: "restart", about: "the server is told to stop (SIGTERM) and started again", nodes: 1, stores: both, says: say(both, "msg=stopped"), trouble: restarting},
		{name: "freeze", about: "the server stands still (SIGSTOP) for longer than clients wait, and than it waits itself", nodes: 1, stores: both, trouble: freezing},
		{name: "network", about: "the network of the clients breaks off, swallows answers, is slow", nodes: 1, stores: both, silent: both, trouble: badNetwork},
		{name: "full", about: "the disk is full, and then it is not", nodes: 1, stores: both, ownDisk: true, patient: true, certain: []string{sqlite},
			says: map[string][]string{sqlite: {"database or disk is full"}, postgresql: {"SQLSTATE 53100"}}, trouble: filling},
		{name: "readonly", about: "the store becomes read-only, and then it is writable again", nodes: 1, stores: both, readOnly: true, patient: true, certain: both,
			says: map[string][]string{sqlite: {"readonly database"}, postgresql: {"read-only transaction"}}, trouble: readingOnly},
		{name: "clock", about: "the server's clock jumps, forward and back, by seconds to days", nodes: 1, stores: both, clock: true, silent: both, trouble: movingClock},
		{name: "cut", about: "connections to PostgreSQL break off", nodes: 1, stores: shared, says: again, trouble: cutting},
		{name: "commit", about: "PostgreSQL commits, and its answer is lost with the connection", nodes: 1, stores: shared,
			says: say(shared, "the store may or may not have committed"), trouble: losingCommits},
		{name: "silence", about: "what PostgreSQL answers does not arrive, and then the connections break off", nodes: 1, stores: shared, says: again, trouble: silencing},
		{name: "crash", about: "PostgreSQL is ended at once (pg_ctl stop -m immediate) and started again", nodes: 1, stores: shared, says: again, trouble: crashing},
		{name: "serializable", about: "three servers meet at a PostgreSQL that refuses transactions which cannot be put into an order", nodes: 3, stores: shared,
			settings: "&default_transaction_isolation=serializable", quiet: true, says: say(shared, "SQLSTATE 40001"), trouble: meeting},
		{name: "nodes", about: "one of three servers is killed or stands still, or PostgreSQL crashes under all of them", nodes: 3, stores: shared, says: again,
			trouble: nodesInTrouble},
		{name: "nats", about: "three servers lose their NATS servers, which lose each other: cut off, silent, slow, started again", nodes: 3, stores: shared,
			says: say(shared, "lost the connection to NATS"), trouble: badNATS},
		{name: "storm", about: "the server is killed or told to stop, and all of a crowd come back at once", nodes: 1, stores: both, crowd: true, env: stormy(),
			says: crowded, trouble: storming},
		{name: "failover", about: "one of three servers is killed or told to stop, and its share of a crowd goes to the others", nodes: 3, stores: shared, crowd: true,
			env: stormy(), says: crowded, trouble: storming},
		{name: "everything", about: "three servers, and all of these troubles one after the other but for full disks and clocks", nodes: 3, stores: shared,
			says: say(shared, "lost the connection to NATS", "mailbox: a batch is tried again", "read-only transaction"), trouble: everything},
	}
}

// say has the same words on some stores.
func say(stores []string, words ...string) map[string][]string {
	all := map[string][]string{}
	for _, store := range stores {
		all[store] = words
	}
	return all
}

// works tells why a scenario cannot run on a store on this machine.
func (s scenario) works(ctx context.Context, store string, o options) error {
	switch {
	case s.crowd:
		return load.AllowFiles(uint64(o.crowd) + otherFiles) // #nosec G115 -- a count
	case s.possible != nil:
		return s.possible(ctx)
	case s.ownDisk:
		return rig.DisksWork(ctx)
	case s.readOnly && store == sqlite:
		return rig.FickleWorks(ctx)
	}
	return nil
}

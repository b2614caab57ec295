package main

import (
	"context"

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
	// certain are the stores on which every send that is refused is certain not to be stored.
	certain []string
	// quiet is one in which there may be no fault at all.
	quiet bool
	// trouble is made until ctx ends; then all is as it was.
	trouble func(context.Context, *run) error
}

// scenarios gives all of them, in the order in which they run.
func scenarios() []scenario {
	both, shared := []string{sqlite, postgresql}, []string{postgresql}
	return []scenario{
		{name: "calm", about: "nothing happens to the server", nodes: 1, stores: both, quiet: true, trouble: calm},
		{name: "kill", about: "the server is killed (SIGKILL) and started again", nodes: 1, stores: both, trouble: killing},
		{name: "restart", about: "the server is told to stop (SIGTERM) and started again", nodes: 1, stores: both, trouble: restarting},
		{name: "freeze", about: "the server stands still (SIGSTOP) for longer than clients wait", nodes: 1, stores: both, trouble: freezing},
		{name: "network", about: "the network of the clients breaks off, swallows answers, is slow", nodes: 1, stores: both, trouble: badNetwork},
		{name: "full", about: "the disk is full, and then it is not", nodes: 1, stores: both, ownDisk: true, patient: true, certain: []string{sqlite}, trouble: filling},
		{name: "readonly", about: "the store becomes read-only, and then it is writable again", nodes: 1, stores: both, readOnly: true, patient: true, certain: both,
			trouble: readingOnly},
		{name: "clock", about: "the server's clock jumps, forward and back, by seconds to days", nodes: 1, stores: both, clock: true, trouble: movingClock},
		{name: "cut", about: "connections to PostgreSQL break off", nodes: 1, stores: shared, trouble: cutting},
		{name: "commit", about: "PostgreSQL commits, and its answer is lost with the connection", nodes: 1, stores: shared, trouble: losingCommits},
		{name: "silence", about: "what PostgreSQL answers does not arrive, and then the connections break off", nodes: 1, stores: shared, trouble: silencing},
		{name: "crash", about: "PostgreSQL is ended at once (pg_ctl stop -m immediate) and started again", nodes: 1, stores: shared, trouble: crashing},
		{name: "serializable", about: "three servers meet at a PostgreSQL that refuses transactions which cannot be put into an order", nodes: 3, stores: shared,
			settings: "&default_transaction_isolation=serializable", quiet: true, trouble: meeting},
		{name: "nodes", about: "one of three servers is killed or stands still", nodes: 3, stores: shared, trouble: nodesInTrouble},
		{name: "nats", about: "three servers lose NATS: one of them or all, cut off or silent, and NATS starts again", nodes: 3, stores: shared, trouble: badNATS},
		{name: "everything", about: "three servers, and any of these troubles after the other", nodes: 3, stores: shared, trouble: everything},
	}
}

// works tells why a scenario cannot run on a store on this machine.
func (s scenario) works(ctx context.Context, store string) error {
	switch {
	case s.ownDisk:
		return rig.DisksWork(ctx)
	case s.readOnly && store == sqlite:
		return rig.FickleWorks(ctx)
	}
	return nil
}

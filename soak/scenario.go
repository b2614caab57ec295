package main

import "context"

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
	// trouble is made until ctx ends; then all is as it was.
	trouble func(context.Context, *run) error
}

// scenarios gives all of them, in the order in which they run.
func scenarios() []scenario {
	both, shared := []string{sqlite, postgresql}, []string{postgresql}
	return []scenario{
		{"calm", "nothing happens to the server", 1, both, calm},
		{"kill", "the server is killed (SIGKILL) and started again", 1, both, killing},
		{"freeze", "the server stands still (SIGSTOP) for longer than clients wait", 1, both, freezing},
		{"network", "the network of the clients breaks off, swallows answers, is slow", 1, both, badNetwork},
		{"cut", "connections to PostgreSQL break off", 1, shared, cutting},
		{"commit", "PostgreSQL commits, and its answer is lost with the connection", 1, shared, losingCommits},
		{"silence", "what PostgreSQL answers does not arrive, and then the connections break off", 1, shared, silencing},
		{"crash", "PostgreSQL is ended at once (pg_ctl stop -m immediate) and started again", 1, shared, crashing},
		{"nodes", "one of three servers is killed or stands still", 3, shared, nodesInTrouble},
		{"nats", "three servers lose NATS: one of them or all, cut off or silent, and NATS starts again", 3, shared, badNATS},
	}
}

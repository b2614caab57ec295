// Package cluster holds the test of several nodes: whole processes on one PostgreSQL and a cluster of NATS, some of which are
// killed at work.
package cluster

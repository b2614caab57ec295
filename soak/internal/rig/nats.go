package rig

import (
	"context"
	"errors"
	"net"
	"strconv"

	"github.com/nats-io/nats-server/v2/server"
)

// NATS is a NATS server in this process.
type NATS struct {
	Address string

	inner *server.Server
}

// NewNATS starts one on loopback.
func NewNATS(ctx context.Context) (*NATS, error) {
	address, err := FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	n := &NATS{Address: address}
	return n, n.Start()
}

// Start starts it, again at the same address.
func (n *NATS) Start() error {
	host, text, err := net.SplitHostPort(n.Address)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	inner, err := server.NewServer(&server.Options{Host: host, Port: port, NoLog: true, NoSigs: true})
	if err != nil {
		return err
	}
	inner.Start()
	if !inner.ReadyForConnections(ready) {
		inner.Shutdown()
		return errors.New("NATS does not start")
	}
	n.inner = inner
	return nil
}

// Stop cuts all connections and ends it.
func (n *NATS) Stop() {
	n.inner.Shutdown()
	n.inner.WaitForShutdown()
}

package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/letterlock/letterlock/internal/testport"
)

const (
	// natsPing and natsPings say how soon a server of NATS gives a route up over which nothing comes.
	natsPing  = time.Second
	natsPings = 2
	// nowhere is what servers tell each other to be reached by, so that each route goes through its proxy.
	nowhere = "127.0.0.1:1"
)

// NATS is a cluster of NATS servers in this process. Each reaches each other one by way of a proxy of its own.
type NATS struct {
	servers []*NATSServer
	routes  [][]*Proxy // from each to each; nil to itself
}

// NATSServer is one of them.
type NATSServer struct {
	Address string

	options server.Options
	inner   *server.Server
}

// NewNATS starts n of them on loopback.
func NewNATS(ctx context.Context, n int) (_ *NATS, err error) {
	c := &NATS{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	for i := range n {
		s, err := newNATSServer(ctx, i)
		if err != nil {
			return nil, err
		}
		c.servers = append(c.servers, s)
	}
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	for _, s := range c.servers {
		if err := s.Start(); err != nil {
			return nil, err
		}
	}
	return c, c.awaitRoutes(ctx)
}

func newNATSServer(ctx context.Context, n int) (*NATSServer, error) {
	address, addressErr := testport.Free(ctx)
	routing, routingErr := testport.Free(ctx)
	host, port, portErr := split(address)
	_, routingPort, routingPortErr := split(routing)
	return &NATSServer{Address: address, options: server.Options{
		ServerName: fmt.Sprintf("nats-%d", n), Host: host, Port: port, NoLog: true, NoSigs: true, PingInterval: natsPing, MaxPingsOut: natsPings,
		Cluster: server.ClusterOpts{
			Name: "soak", Host: host, Port: routingPort, NoAdvertise: true, Advertise: nowhere, PingInterval: natsPing, MaxPingsOut: natsPings,
		},
	}}, errors.Join(addressErr, routingErr, portErr, routingPortErr)
}

func split(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}

// connect makes the proxies, and tells each server of those to the others.
func (c *NATS) connect(ctx context.Context) error {
	c.routes = make([][]*Proxy, len(c.servers))
	for i, from := range c.servers {
		c.routes[i] = make([]*Proxy, len(c.servers))
		for j, to := range c.servers {
			if i == j {
				continue
			}
			p, err := NewProxy(ctx, net.JoinHostPort(to.options.Cluster.Host, strconv.Itoa(to.options.Cluster.Port)))
			if err != nil {
				return err
			}
			c.routes[i][j] = p
			from.options.Routes = append(from.options.Routes, &url.URL{Scheme: "nats", Host: p.Address})
		}
	}
	return nil
}

func (c *NATS) awaitRoutes(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ready)
	defer cancel()
	for !c.meshed() {
		if !pause(ctx, 10*time.Millisecond) {
			return errors.New("the NATS servers do not find each other")
		}
	}
	return nil
}

func (c *NATS) meshed() bool {
	for _, s := range c.servers {
		if s.inner.NumRoutes() < len(c.servers)-1 {
			return false
		}
	}
	return true
}

// Servers gives all of them.
func (c *NATS) Servers() []*NATSServer { return c.servers }

// Routes gives the proxies between one server and the others, in both directions.
func (c *NATS) Routes(n int) (list []*Proxy) {
	for i := range c.servers {
		if i != n {
			list = append(list, c.routes[n][i], c.routes[i][n])
		}
	}
	return list
}

// Close ends all of it.
func (c *NATS) Close() error {
	var errs []error
	for _, s := range c.servers {
		if s.inner != nil {
			s.Stop()
		}
	}
	for _, some := range c.routes {
		for _, p := range some {
			if p != nil {
				errs = append(errs, p.Close())
			}
		}
	}
	return errors.Join(errs...)
}

// Start starts it, again at the same address.
func (s *NATSServer) Start() error {
	options := s.options
	inner, err := server.NewServer(&options)
	if err != nil {
		return err
	}
	inner.Start()
	if !inner.ReadyForConnections(ready) {
		inner.Shutdown()
		return errors.New("NATS does not start")
	}
	s.inner = inner
	return nil
}

// Stop cuts all connections and ends it.
func (s *NATSServer) Stop() {
	s.inner.Shutdown()
	s.inner.WaitForShutdown()
}

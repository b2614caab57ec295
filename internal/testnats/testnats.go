// Package testnats runs NATS servers inside a test, on loopback.
package testnats

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// patience is how long a server may take to be ready.
const patience = 20 * time.Second

// Server is a NATS server that runs until the test ends or Stop is called.
type Server struct {
	// URL is where clients connect.
	URL string

	t       testing.TB
	options server.Options
	inner   *server.Server
}

// Start starts a server. change may change its options.
func Start(t testing.TB, change ...func(*server.Options)) *Server {
	t.Helper()
	s := &Server{t: t, options: server.Options{Host: "127.0.0.1", Port: ports(t, 1)[0], NoLog: true, NoSigs: true}}
	for _, c := range change {
		c(&s.options)
	}
	s.URL = fmt.Sprintf("nats://127.0.0.1:%d", s.options.Port)
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// Cluster starts n servers that route to each other, each with clients of its own.
func Cluster(t testing.TB, n int) []*Server {
	t.Helper()
	routing := ports(t, n)
	routes := make([]*url.URL, n)
	for i, port := range routing {
		routes[i] = &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	}
	servers := make([]*Server, n)
	for i := range servers {
		servers[i] = Start(t, func(o *server.Options) {
			o.ServerName = fmt.Sprintf("nats-%d", i)
			o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: routing[i], NoAdvertise: true}
			o.Routes = routes
		})
	}
	for deadline := time.Now().Add(patience); !meshed(servers); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the NATS servers do not find each other")
		}
	}
	return servers
}

func meshed(servers []*Server) bool {
	for _, s := range servers {
		if s.inner.NumRoutes() < len(servers)-1 {
			return false
		}
	}
	return true
}

// URLs joins the addresses of servers, as LETTERLOCK_NATS has them.
func URLs(servers []*Server) string {
	list := make([]string, len(servers))
	for i, s := range servers {
		list[i] = s.URL
	}
	return strings.Join(list, ",")
}

// Restart starts the server again at its address, after Stop.
func (s *Server) Restart() {
	s.t.Helper()
	options := s.options
	inner, err := server.NewServer(&options)
	if err != nil {
		s.t.Fatal(err)
	}
	inner.Start()
	if !inner.ReadyForConnections(patience) {
		s.t.Fatal("NATS does not start")
	}
	s.inner = inner
}

// Stop cuts all connections and ends the server. Calling it again does nothing.
func (s *Server) Stop() {
	s.inner.Shutdown()
	s.inner.WaitForShutdown()
}

// Subscriptions is how many there are, those of other servers of the cluster included.
func (s *Server) Subscriptions() int { return int(s.inner.NumSubscriptions()) }

// Ports are taken from below those that systems give to outgoing connections: one of these might hold the port of a server
// that is to start again.
const firstPort, lastPort = 10_000, 32_000

// ports gives free ports. They are all taken at once, so that they differ.
func ports(t testing.TB, n int) []int {
	t.Helper()
	var list []int
	for tries := 0; len(list) < n; tries++ {
		port := firstPort + rand.N(lastPort-firstPort) // #nosec G404 -- a port, not a secret
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil && tries > 1000 {
			t.Fatal(err)
		}
		if err == nil {
			defer func() { _ = l.Close() }()
			list = append(list, port)
		}
	}
	return list
}

// Package testport gives tests ports for servers that start again at the same address.
package testport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports are taken from below those that systems give to outgoing connections: one of these might hold the port of a server that is
// to start again.
const firstPort, lastPort = 10_000, 32_000

// Free gives an address of loopback that nobody listens on.
func Free(ctx context.Context) (string, error) {
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.N(lastPort-firstPort)) // #nosec G404 -- a port, not a secret
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("there is no free port")
}

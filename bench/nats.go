package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// natsServer is a NATS server of a run's own.
type natsServer struct {
	url string
	cmd *exec.Cmd
}

func startNATS(ctx context.Context, binary string) (*natsServer, error) {
	if binary == "" {
		return nil, errors.New("several nodes need --nats-server")
	}
	free, err := freeAddresses(ctx, 1)
	if err != nil {
		return nil, err
	}
	address := free[0]
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "-a", host, "-p", port) //nolint:noctx,gosec // it is stopped by stop; the binary was named on the command line
	cmd.Stdout = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	n := &natsServer{url: "nats://" + address, cmd: cmd}
	if err := waitUntil(ctx, 10*time.Second, func(ctx context.Context) bool { return listens(ctx, address) }); err != nil {
		return nil, errors.Join(errors.New("the NATS server did not get ready"), n.stop())
	}
	return n, nil
}

func listens(ctx context.Context, address string) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func (n *natsServer) stop() error {
	if n.cmd.ProcessState != nil {
		return nil
	}
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_ = n.cmd.Wait() // it ends with a status of its own when it is told to
	return nil
}

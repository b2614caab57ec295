package server

import (
	"context"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// newHub makes what wake-ups pass through: this process alone, or NATS.
func newHub(ctx context.Context, db *database.DB, c Config) (wakeup.Node[mailbox.Message], error) {
	if c.NATS.URL == "" {
		return wakeup.NewLocal[mailbox.Message](), nil
	}
	epoch, err := db.Epoch(ctx)
	if err != nil {
		return nil, err
	}
	hub, err := wakeup.NewNATS(wakeup.NATSOptions{
		URL: c.NATS.URL, CA: c.NATS.CA, Credentials: c.NATS.Credentials, Store: epoch, Log: c.Log,
	}, mailbox.Wire{})
	if err != nil {
		return nil, err
	}
	return hub, nil
}

// endDevice ends what a device has here that was removed, on this node or another. It is forgotten first: a socket that opens
// meanwhile is among the device's own, or finds out.
func (s *Server) endDevice(device identity.DeviceID) {
	s.directory.Forget(device)
	s.sockets.EndDevice(device.String())
}

package graph

import (
	"context"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/directory"
)

// viewer gives the calling device, nil for a caller without a token.
func (r *Resolver) viewer(ctx context.Context) (*model.Device, error) {
	c := caller.From(ctx)
	if c.Anonymous() {
		return nil, nil
	}
	device, err := c.Device(ctx)
	if err != nil {
		return nil, err
	}
	return r.device(ctx, device)
}

// device adds to a device what its mailbox knows.
func (r *Resolver) device(ctx context.Context, d directory.Device) (*model.Device, error) {
	status, err := r.Mailboxes.Status(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	return &model.Device{
		ID: d.ID.String(), UserID: d.User.String(), ListVersion: int(d.ListVersion),
		AcceptedCount: status.Accepted, CreatedAt: d.CreatedAt,
	}, nil
}

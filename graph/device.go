package graph

import (
	"context"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/directory"
)

// calling gives the calling device. The socket of one that was removed ends once it has been told so.
func calling(ctx context.Context) (directory.Device, error) {
	device, err := caller.From(ctx).Device(ctx)
	return device, endIfRemoved(ctx, err)
}

// viewer gives the calling device, nil for a caller without a token.
func (r *Resolver) viewer(ctx context.Context) (*model.Device, error) {
	if caller.From(ctx).Anonymous() {
		return nil, nil
	}
	device, err := calling(ctx)
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

package graph

import (
	"context"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/stream"
)

// received opens the calling device's mailbox. The goroutine that it starts ends with ctx.
func (r *Resolver) received(ctx context.Context, after *string) (<-chan *model.Message, error) {
	device, position, err := callingFrom(ctx, after)
	if err != nil {
		return nil, err
	}
	reader, err := r.Mailboxes.Subscribe(ctx, device.ID, position)
	if err != nil {
		return nil, endIfRemoved(ctx, err)
	}
	messages := make(chan *model.Message)
	go func() {
		defer close(messages)
		defer reader.Close()
		if err := forward(ctx, reader, messages); err != nil && ctx.Err() == nil {
			stream.Fail(ctx, r.Present(ctx, endIfRemoved(ctx, err)))
		}
	}()
	return messages, nil
}

// forward hands messages on, one at a time: what a slow client has not taken stays in the reader's bounds.
func forward(ctx context.Context, reader *mailbox.Reader, messages chan<- *model.Message) error {
	for {
		m, err := reader.Next(ctx)
		if err != nil {
			return err
		}
		select {
		case messages <- messageModel(&m):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// endIfRemoved has the socket of a removed device closed once it has been told why.
func endIfRemoved(ctx context.Context, err error) error {
	if problem.CodeOf(err) == problem.DeviceRemoved {
		socket.EndAfterReply(ctx, socket.CloseForbidden, "this device was removed from its user's list")
	}
	return err
}

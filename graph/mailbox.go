package graph

import (
	"context"
	"strconv"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/mailbox"
)

func (r *Resolver) mailbox(ctx context.Context, first *int, after *string) (*model.MessageConnection, error) {
	device, position, err := callingFrom(ctx, after)
	if err != nil {
		return nil, err
	}
	count := limits.PageSize
	if first != nil {
		count = *first
	}
	page, err := r.Mailboxes.Page(ctx, device.ID, position, count)
	if err != nil {
		return nil, err
	}
	return pageModel(page), nil
}

func (r *Resolver) acknowledge(ctx context.Context, upTo string) (*model.AcknowledgeMessagesPayload, error) {
	device, err := calling(ctx)
	if err != nil {
		return nil, err
	}
	position, err := mailbox.ParseCursor(upTo)
	if err != nil {
		return nil, err
	}
	done, err := r.Mailboxes.Acknowledge(ctx, device.ID, position)
	if err != nil {
		return nil, err
	}
	return &model.AcknowledgeMessagesPayload{AcknowledgedUpTo: done.UpTo.String(), RemovedCount: done.Removed}, nil
}

// callingFrom gives the calling device, and the position in its mailbox that it starts from, if it names one.
func callingFrom(ctx context.Context, after *string) (device directory.Device, position *mailbox.Cursor, err error) {
	if device, err = calling(ctx); err != nil {
		return device, nil, err
	}
	position, err = cursorOf(after)
	return device, position, err
}

// cursorOf reads an optional cursor.
func cursorOf(text *string) (*mailbox.Cursor, error) {
	if text == nil {
		return nil, nil
	}
	cursor, err := mailbox.ParseCursor(*text)
	if err != nil {
		return nil, err
	}
	return &cursor, nil
}

func pageModel(page mailbox.Page) *model.MessageConnection {
	connection := &model.MessageConnection{
		Nodes:        make([]model.Message, len(page.Messages)),
		Edges:        make([]model.MessageEdge, len(page.Messages)),
		PageInfo:     &model.PageInfo{HasNextPage: page.HasNext},
		ExpiredCount: page.ExpiredCount,
	}
	for i := range page.Messages {
		connection.Nodes[i] = *messageModel(&page.Messages[i])
		connection.Edges[i] = model.MessageEdge{Cursor: connection.Nodes[i].Cursor, Node: &connection.Nodes[i]}
	}
	if n := len(connection.Edges); n > 0 {
		connection.PageInfo.StartCursor = &connection.Edges[0].Cursor
		connection.PageInfo.EndCursor = &connection.Edges[n-1].Cursor
	}
	return connection
}

func messageModel(m *mailbox.Message) *model.Message {
	return &model.Message{
		ID: strconv.FormatInt(m.ID, 10), Cursor: m.Cursor.String(), MessageID: m.MessageID.String(),
		SenderUserID: m.SenderUser.String(), SenderDeviceID: m.SenderDevice.String(),
		SenderListVersion: int(m.SenderListVersion), SentAt: m.SentAt, ExpiresAt: m.ExpiresAt,
		Kind: kindModel(m.Kind), Ciphertext: m.Ciphertext, Nonce: m.Nonce,
	}
}

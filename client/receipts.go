package client

import (
	"context"

	"github.com/letterlock/letterlock/device"
)

// SetReceipts decides whether contacts are told that their messages were delivered (on by default) and read (off by
// default). Receipts are sealed; strangers never get one.
func (c *Client) SetReceipts(ctx context.Context, delivered, read bool) error {
	_, err := c.step(ctx, func(h device.Host) (device.Step, error) { return h.SetReceipts(delivered, read) })
	return err
}

// MarkRead records that the messages of a conversation up to this Message.Number were shown. If read receipts are on and
// the other user is a contact, the next Flush, Inbox or Listen tells them.
func (c *Client) MarkRead(ctx context.Context, with UserID, upTo uint64) error {
	_, err := c.step(ctx, func(h device.Host) (device.Step, error) { return h.MarkRead(with, upTo) })
	return err
}

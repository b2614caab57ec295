package client

import (
	"context"
	"errors"
	"time"

	"github.com/letterlock/letterlock/device"
)

// Send seals a text for every device of a user and returns when the server has it on disk. The text is 1 to 60,000 bytes
// of UTF-8. From the moment that Send has begun, the message is kept here: if it can't be sent now, the error is a
// QueuedError, and a later call sends it. A SendError means that it will never be sent. With ErrBlocked,
// ErrContactChanged and ErrContactAlarm nothing is kept: the user is blocked, or something about them waits to be accepted, see Trust.
func (c *Client) Send(ctx context.Context, to UserID, text string) (Message, error) {
	message, err := c.Queue(ctx, to, text)
	if err != nil {
		return Message{}, err
	}
	ctx, cancel := c.while(ctx)
	defer cancel()
	why := c.deliver(ctx, to, message.Number, c.options.Patience)
	return c.outcome(context.WithoutCancel(ctx), message, why)
}

// Queue takes a text to send without talking to the server. The next Send to the same user, Flush, Inbox or Listen
// sends it.
func (c *Client) Queue(ctx context.Context, to UserID, text string) (Message, error) {
	var message *device.Message
	_, err := c.step(ctx, func(h device.Host) (step device.Step, err error) {
		step, message, err = h.Compose(to, text)
		return step, err
	})
	if err != nil {
		return Message{}, err
	}
	return *message, nil
}

// Flush sends what is queued. It fails with what is in the way of what stays queued.
func (c *Client) Flush(ctx context.Context) error {
	ctx, cancel := c.while(ctx)
	defer cancel()
	return c.flush(ctx, c.options.Patience)
}

func (c *Client) flush(ctx context.Context, patience time.Duration) error {
	var users []UserID
	err := c.view(ctx, func(h device.Host) (err error) {
		users, err = h.Outboxes()
		return err
	})
	if err != nil {
		return err
	}
	var problems []error
	for _, user := range users {
		err := c.deliver(ctx, user, 0, patience)
		problems = append(problems, err)
		if unreachable(err) || ctx.Err() != nil {
			break
		}
	}
	return errors.Join(problems...)
}

// outcome tells what has become of a message that Send has delivered, or tried to.
func (c *Client) outcome(ctx context.Context, message Message, why error) (Message, error) {
	var (
		now    *Message
		notice uint64
	)
	err := c.view(ctx, func(h device.Host) (err error) {
		if now, err = h.Message(message.Peer, message.Number); err != nil || now == nil || now.State != Failed {
			return err
		}
		notice, err = failureNotice(h, now)
		return err
	})
	if err != nil || now == nil {
		return message, &QueuedError{Message: message, Err: errors.Join(why, err)}
	}
	switch now.State {
	case Sent:
		return *now, nil
	case Failed:
		// The caller learns it now; a Handler need not hear of it again.
		if _, err := c.step(ctx, func(h device.Host) (device.Step, error) { return h.HandedOver(notice) }); err != nil {
			c.options.Logger.Warn("could not withdraw a notice", "error", err)
		}
		return *now, &SendError{Message: *now, Reason: now.Failure, Err: why}
	default:
		return *now, &QueuedError{Message: *now, Err: why}
	}
}

// failureNotice finds the notice about a message that has failed, or gives 0.
func failureNotice(h device.Host, message *Message) (uint64, error) {
	const page = 100
	for after := uint64(0); ; {
		notices, err := h.Waiting(after, page)
		if err != nil {
			return 0, err
		}
		for _, notice := range notices {
			if m := notice.Message; m != nil && m.Peer == message.Peer && m.Number == message.Number {
				return notice.Number, nil
			}
			after = notice.Number
		}
		if len(notices) < page {
			return 0, nil
		}
	}
}

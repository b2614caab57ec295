package client

import (
	"context"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/device"
)

// Block takes nothing from a user any more, on this device: what comes from them is dropped unopened, and nothing is sent to them
// (ErrBlocked). They are not told; what was said stays. It holds here at once; the server is told to drop it as well, now or with the
// next call that reaches it. Doing it again changes nothing. It fails with ErrBlockSelf or ErrBlockedFull.
func (c *Client) Block(ctx context.Context, user UserID) error {
	return c.changeBlocked(ctx, func(h device.Host) (device.Step, error) { return h.Block(user) })
}

// Unblock takes messages from a user again. What they sent meanwhile is lost.
func (c *Client) Unblock(ctx context.Context, user UserID) error {
	return c.changeBlocked(ctx, func(h device.Host) (device.Step, error) { return h.Unblock(user) })
}

// Blocked gives the users who are blocked on this device, and since when, oldest first.
func (c *Client) Blocked(ctx context.Context) (blocked []Blocked, err error) {
	err = c.view(ctx, func(h device.Host) (err error) {
		blocked, err = h.Blocked()
		return err
	})
	return blocked, err
}

// IsRequest reports whether what a user has written is a request: nobody here has named them, written to them or blocked them. Send, or
// AddContact, accepts it; Block refuses it. Until then they learn nothing, not even that it was delivered.
func (c *Client) IsRequest(ctx context.Context, user UserID) (request bool, err error) {
	err = c.view(ctx, func(h device.Host) (err error) {
		request, err = h.IsRequest(user)
		return err
	})
	return request, err
}

func (c *Client) changeBlocked(ctx context.Context, change func(device.Host) (device.Step, error)) error {
	ctx, cancel := c.while(ctx)
	defer cancel()
	if _, err := c.step(ctx, change); err != nil {
		return err
	}
	err := c.patiently(ctx, c.options.Patience, func() error {
		if err := c.ready(ctx); err != nil {
			return err
		}
		return c.tellBlocked(ctx)
	})
	if transient(err) {
		c.options.Logger.Info("the server does not know yet who is blocked", "error", err)
		return nil
	}
	return err
}

// tellBlocked tells the server who is blocked, unless it knows.
func (c *Client) tellBlocked(ctx context.Context) error {
	var request *device.SetBlocked
	err := c.view(ctx, func(h device.Host) (err error) {
		request, err = h.BlocksToSet()
		return err
	})
	if err != nil || request == nil {
		return err
	}
	users := make([]string, len(request.Users))
	for i, user := range request.Users {
		users[i] = user.String()
	}
	err = c.authorized(ctx, func(ctx context.Context) error {
		_, err := api.SetBlockedUsers(ctx, c.private, users)
		return err
	})
	if err != nil {
		return err
	}
	_, err = c.step(ctx, func(h device.Host) (device.Step, error) { return h.BlockedSet(request.Version) })
	return err
}

package client

import (
	"context"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/device"
)

// Register makes this device known to the server. Whatever else talks to the server does it first, too: call it to know
// that it is done. Doing it again changes nothing. It tries for Options.Patience. A server that does not let everybody in fails it
// with ErrInviteRequired or ErrRegistrationClosed.
func (c *Client) Register(ctx context.Context) error {
	ctx, cancel := c.while(ctx)
	defer cancel()
	return c.patiently(ctx, c.options.Patience, func() error { return c.ready(ctx) })
}

// Registered reports whether the server has taken the registration, as far as is known here.
func (c *Client) Registered(ctx context.Context) (bool, error) { return c.registered(ctx) }

func (c *Client) registered(ctx context.Context) (known bool, err error) {
	err = c.view(ctx, func(h device.Host) error {
		step, err := h.Register()
		known = len(step.Requests) == 0
		return err
	})
	return known, err
}

// ready registers if that was not done yet, looks after the prekeys and tells who is blocked. One try.
func (c *Client) ready(ctx context.Context) error {
	known, err := c.registered(ctx)
	if err == nil && !known {
		err = c.authorized(ctx, c.registerNow)
	}
	if err != nil {
		return err
	}
	c.tend(ctx)
	if err := c.tellBlocked(ctx); err != nil {
		c.options.Logger.Info("the server does not know yet who is blocked", "error", err)
	}
	return nil
}

func (c *Client) registerNow(ctx context.Context) error {
	if err := c.register.take(ctx); err != nil {
		return err
	}
	defer c.register.leave()
	var step device.Step
	err := c.view(ctx, func(h device.Host) (err error) {
		step, err = h.Register()
		return err
	})
	if err != nil {
		return err
	}
	for _, request := range step.Requests {
		register, ok := request.(*device.Register)
		if !ok {
			continue
		}
		if _, err := api.RegisterKey(ctx, c.private, register.UserKey, register.DeviceList, c.options.Invite); err != nil {
			return err
		}
		if _, err := c.step(ctx, func(h device.Host) (device.Step, error) { return h.Registered(true) }); err != nil {
			return err
		}
		c.untended.Store(true) // a server that has lost this device has lost its prekeys, too
	}
	return nil
}

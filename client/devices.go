package client

import (
	"context"
	"errors"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/device"
)

// maxResigns bounds how often one call signs a list anew because another one was published first.
const maxResigns = 5

// Devices gives the devices of one's own user, by the newest list that the server shows and that holds, oldest first. It fails
// with ErrDeviceRemoved if this one is no longer among them, or with an AlarmError.
func (c *Client) Devices(ctx context.Context) (devices []Device, err error) {
	ctx, cancel := c.while(ctx)
	defer cancel()
	if err := c.learnOwn(ctx); err != nil {
		return nil, err
	}
	err = c.view(ctx, func(h device.Host) (err error) {
		devices, err = h.Devices()
		return err
	})
	return devices, err
}

// Unlink publishes the next list of one's own devices without one of them, for good: it gets nothing more, and what still
// comes from it is marked. Only a device that holds the user key can (ErrNoUserKey). It fails with ErrDeviceUnknown,
// ErrRemoveSelf, ErrDeviceRemoved or an AlarmError, too.
func (c *Client) Unlink(ctx context.Context, id DeviceID) error {
	ctx, cancel := c.while(ctx)
	defer cancel()
	if err := c.learnOwn(ctx); err != nil {
		return err
	}
	return c.publish(ctx, func(h device.Host) (device.Step, error) { return h.RemoveDevice(id) })
}

// learnOwn makes sure that this device is registered, and fetches what is new of its user's lists.
func (c *Client) learnOwn(ctx context.Context) error {
	return c.patiently(ctx, c.options.Patience, func() error {
		if err := c.ready(ctx); err != nil {
			return err
		}
		return c.fetchOwn(ctx)
	})
}

func (c *Client) fetchOwn(ctx context.Context) error {
	var held uint32
	err := c.view(ctx, func(h device.Host) (err error) {
		held, err = h.ListVersion()
		return err
	})
	if err != nil {
		return err
	}
	result, err := c.fetch(ctx, &device.FetchUser{User: c.self.User, Since: held})
	if err == nil && result.alarm != nil {
		err = &AlarmError{Alarm: *result.alarm}
	}
	return err
}

// publish signs and publishes until the list is there, and holds here as well: sign gives no request then.
func (c *Client) publish(ctx context.Context, sign func(device.Host) (device.Step, error)) error {
	for range maxResigns {
		step, err := c.step(ctx, sign)
		if err != nil || len(step.Requests) == 0 {
			return err
		}
		for _, request := range step.Requests {
			if list, ok := request.(*device.PublishList); ok {
				if err := c.publishList(ctx, list); err != nil {
					return err
				}
			}
		}
	}
	return errors.New("another device changes the list all the time; try again")
}

// publishList publishes one list, and learns what holds then: this list, or the one that came first.
func (c *Client) publishList(ctx context.Context, list *device.PublishList) error {
	return c.patiently(ctx, c.options.Patience, func() error {
		err := c.authorized(ctx, func(ctx context.Context) error {
			_, err := api.PublishDeviceList(ctx, c.private, list.Statement)
			return err
		})
		if err != nil && codeOf(err) != "LIST_CONFLICT" {
			return err
		}
		return c.fetchOwn(ctx)
	})
}

// TakeSessions makes a device that was made for boxes take sessions instead, for good: it publishes the next list of one's own
// devices, and deletes the box key. Call Inbox first: what waits in boxes is refused afterwards. Devices that take boxes
// alone can't be reached any more, until they do the same. It does nothing for a device that takes sessions. It fails with
// ErrNoUserKey, ErrDeviceRemoved or an AlarmError.
func (c *Client) TakeSessions(ctx context.Context) error {
	ctx, cancel := c.while(ctx)
	defer cancel()
	if err := c.learnOwn(ctx); err != nil {
		return err
	}
	if err := c.publish(ctx, device.Host.TakeSessions); err != nil {
		return err
	}
	c.untended.Store(true) // there are prekeys to upload now
	c.tend(ctx)
	return nil
}

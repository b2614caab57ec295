package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/device"
)

// maxExportPages bounds how often an answer may say that there is more; each brings a hundred lists, devices or envelopes.
const maxExportPages = 4096

// DeleteUser has the server forget this user with all devices, for good, and gives when it did: nobody reaches them there any more,
// and the id can't be registered again. What this home holds stays, and so does what was sent. Only a device that holds the user
// key can (ErrNoUserKey). Doing it again gives the same.
func (c *Client) DeleteUser(ctx context.Context) (at time.Time, err error) {
	ctx, cancel := c.while(ctx)
	defer cancel()
	for range maxResigns {
		var request *device.DeleteUser
		err = c.view(ctx, func(h device.Host) (err error) {
			request, err = h.DeleteUser()
			return err
		})
		if err != nil {
			return time.Time{}, err
		}
		at, err = c.deleteUser(ctx, request)
		if codeOf(err) != "LIST_CONFLICT" {
			return at, err
		}
		if err = c.learnOwn(ctx); err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, errors.New("another device changes the list all the time; try again")
}

func (c *Client) deleteUser(ctx context.Context, request *device.DeleteUser) (at time.Time, err error) {
	err = c.patiently(ctx, c.options.Patience, func() error {
		return c.authorized(ctx, func(ctx context.Context) error {
			answer, err := api.DeleteUser(ctx, c.private, request.Deletion)
			if err == nil {
				at = answer.DeleteUser.DeletedAt
			}
			return err
		})
	})
	return at, err
}

// ExportUser hands over what the server holds of this user, and what waits for this device, as the server's own JSON, some at a time: objects
// with "exportUser", then objects with "mailbox", as the schema describes them. What waits is sealed, and stays.
func (c *Client) ExportUser(ctx context.Context, take func(part json.RawMessage) error) error {
	ctx, cancel := c.while(ctx)
	defer cancel()
	if err := c.learnOwn(ctx); err != nil {
		return err
	}
	if err := c.exportUser(ctx, take); err != nil {
		return err
	}
	return c.exportMailbox(ctx, take)
}

func (c *Client) exportUser(ctx context.Context, take func(json.RawMessage) error) error {
	lists, devices := 0, (*string)(nil)
	for range maxExportPages {
		var page *api.ExportUserResponse
		err := c.patiently(ctx, c.options.Patience, func() error {
			return c.authorized(ctx, func(ctx context.Context) (err error) {
				page, err = api.ExportUser(ctx, c.private, lists, devices)
				return err
			})
		})
		if err != nil {
			return err
		}
		if err := hand(take, page); err != nil || !page.ExportUser.HasMore {
			return err
		}
		if len(page.ExportUser.DeviceLists)+len(page.ExportUser.Devices) == 0 {
			return ErrResponse // more without anything
		}
		if n := len(page.ExportUser.DeviceLists); n > 0 {
			lists = page.ExportUser.DeviceLists[n-1].Version
		}
		if n := len(page.ExportUser.Devices); n > 0 {
			devices = &page.ExportUser.Devices[n-1].Id
		}
	}
	return fmt.Errorf("%w: an export without end", ErrResponse)
}

func (c *Client) exportMailbox(ctx context.Context, take func(json.RawMessage) error) error {
	after := (*string)(nil)
	for range maxExportPages {
		var page *api.ExportMailboxResponse
		err := c.patiently(ctx, c.options.Patience, func() error {
			return c.authorized(ctx, func(ctx context.Context) (err error) {
				page, err = api.ExportMailbox(ctx, c.private, after)
				return err
			})
		})
		if err != nil {
			return err
		}
		if err := hand(take, page); err != nil || !page.Mailbox.PageInfo.HasNextPage {
			return err
		}
		n := len(page.Mailbox.Nodes)
		if n == 0 {
			return ErrResponse
		}
		after = &page.Mailbox.Nodes[n-1].Cursor
	}
	return fmt.Errorf("%w: an export without end", ErrResponse)
}

func hand(take func(json.RawMessage) error, part any) error {
	raw, err := json.Marshal(part)
	if err != nil {
		return err
	}
	return take(raw)
}

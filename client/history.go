package client

import (
	"context"
	"slices"

	"github.com/letterlock/letterlock/device"
)

// History gives the last messages of the conversation with a user, oldest first, at most limit (1 to 1,000), with a
// Message.Number below before (0: up to the newest). What one device sent stands in the order in which it was sent. History
// is kept on this device alone.
func (c *Client) History(ctx context.Context, with UserID, before uint64, limit int) (messages []Message, err error) {
	limit = min(max(limit, 1), 1000)
	err = c.view(ctx, func(h device.Host) (err error) {
		messages, err = h.History(with, before, limit)
		return err
	})
	return messages, err
}

// Conversations gives the users with whom there is a history, in the order of the first message.
func (c *Client) Conversations(ctx context.Context) (users []UserID, err error) {
	const page = 200
	for {
		var next []UserID
		err = c.view(ctx, func(h device.Host) (err error) {
			next, err = h.Conversations(uint64(len(users)), page)
			return err
		})
		if err != nil {
			return nil, err
		}
		users = append(users, next...)
		if len(next) < page {
			return users, nil
		}
	}
}

// Refusals gives the last envelopes that were refused, oldest first; the last 1,000 are kept.
func (c *Client) Refusals(ctx context.Context) (refusals []Refusal, err error) {
	err = c.view(ctx, func(h device.Host) (err error) {
		refusals, err = h.Refusals(0, 1000)
		return err
	})
	return refusals, err
}

// Contacts gives the local names of users, ordered by name.
func (c *Client) Contacts(ctx context.Context) (contacts []Contact, err error) {
	err = c.view(ctx, func(h device.Host) (err error) {
		contacts, err = h.Contacts()
		return err
	})
	return contacts, err
}

// AddContact names a user. If the name stood for another user before it was removed, it is ReplaceContact. It fails with
// ErrContactName, ErrContactTaken or ErrContactsFull.
func (c *Client) AddContact(ctx context.Context, name string, user UserID) error {
	_, err := c.step(ctx, func(h device.Host) (device.Step, error) {
		return h.AddContact(device.Contact{Name: name, User: user})
	})
	return err
}

// ReplaceContact makes a name stand for another user. An alarm tells of it, and until Accept or Verify nothing can be sent
// to the new user: ErrContactChanged. It fails as AddContact does, and with ErrContactUnknown if there is no such name.
func (c *Client) ReplaceContact(ctx context.Context, name string, user UserID) error {
	_, err := c.step(ctx, func(h device.Host) (device.Step, error) {
		return h.ReplaceContact(device.Contact{Name: name, User: user})
	})
	return err
}

// RemoveContact gives up a name, not the conversation; whom it stood for is remembered. It fails with ErrContactUnknown.
func (c *Client) RemoveContact(ctx context.Context, name string) error {
	_, err := c.step(ctx, func(h device.Host) (device.Step, error) { return h.RemoveContact(name) })
	return err
}

// Lookup finds a user by user id or by contact name. It fails with ErrContactUnknown.
func (c *Client) Lookup(ctx context.Context, nameOrID string) (user UserID, err error) {
	err = c.view(ctx, func(h device.Host) (err error) {
		user, err = h.Lookup(nameOrID)
		return err
	})
	return user, err
}

// Name gives the contact name of a user, or "".
func (c *Client) Name(ctx context.Context, user UserID) (string, error) {
	contacts, err := c.Contacts(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(contacts, func(contact Contact) bool { return contact.User == user })
	if i < 0 {
		return "", nil
	}
	return contacts[i].Name, nil
}

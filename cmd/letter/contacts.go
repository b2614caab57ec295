package main

import (
	"context"
	"errors"
	"slices"

	"github.com/letterlock/letterlock/client"
)

type contactsCommand struct {
	List contactsListCommand `cmd:"" default:"1" help:"List them, and whom there are messages with (default)."`
	Add  contactsAddCommand  `cmd:"" help:"Name a user id."`
	Rm   contactsRmCommand   `cmd:"" help:"Forget a name; messages stay."`
}

// Help is shown by letter contacts --help.
func (contactsCommand) Help() string {
	return `Names are kept on this device alone.

    letter contacts
    letter contacts add bob uabc…
    letter contacts rm bob`
}

type contactsListCommand struct{}

// Run lists names, and the ids without a name that there is a history with.
func (contactsListCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error {
		contacts, err := c.Contacts(s.ctx)
		if err != nil {
			return err
		}
		users, err := c.Conversations(s.ctx)
		if err != nil {
			return err
		}
		for _, user := range users {
			if !slices.ContainsFunc(contacts, func(known client.Contact) bool { return known.User == user }) {
				contacts = append(contacts, client.Contact{User: user})
			}
		}
		for _, contact := range contacts {
			if err := s.showContact(contact); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *session) showContact(contact client.Contact) error {
	if s.cli.JSON {
		return s.printJSON(map[string]string{"type": "contact", "name": contact.Name, "user": contact.User.String()})
	}
	if contact.Name == "" {
		return s.print("%s  (no name)", contact.User)
	}
	return s.print("%s  %s", contact.User, line(contact.Name))
}

type contactsAddCommand struct {
	Name string `arg:"" help:"1 to 64 characters."`
	ID   string `arg:"" name:"id" help:"The user id, as they have told you."`
}

// Run names a user.
func (cmd *contactsAddCommand) Run(s *session) error {
	user, err := client.ParseUserID(cmd.ID)
	if err != nil {
		return usage("this is not a user id: u and 32 characters of a to z and 2 to 7")
	}
	return s.with(func(c *client.Client) error {
		err := c.AddContact(s.ctx, cmd.Name, user)
		if errors.Is(err, client.ErrContactName) {
			return usageError{err}
		}
		return err
	})
}

type contactsRmCommand struct {
	Name string `arg:"" help:"The name to forget."`
}

// Run forgets a name.
func (cmd *contactsRmCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error { return c.RemoveContact(s.ctx, cmd.Name) })
}

// handler shows notices; names that another letter adds meanwhile are looked up.
func (s *session) handler(c *client.Client) client.Handler {
	return func(_ context.Context, notice client.Notice) error {
		if err := s.readNames(c); err != nil {
			return err
		}
		return s.show(notice)
	}
}

package main

import (
	"context"
	"errors"
	"slices"

	"github.com/letterlock/letterlock/client"
)

type contactsCommand struct {
	List    contactsListCommand    `cmd:"" default:"1" help:"List them, and whom there are messages with (default)."`
	Add     contactsAddCommand     `cmd:"" help:"Name a user id."`
	Replace contactsReplaceCommand `cmd:"" help:"Let a name stand for another user id."`
	Accept  contactsAcceptCommand  `cmd:"" help:"Send again to somebody whose id has changed, or about whom there was an alarm."`
	Rm      contactsRmCommand      `cmd:"" help:"Give up a name; messages stay."`
}

// Help is shown by letter contacts --help.
func (contactsCommand) Help() string {
	return `Names are kept on this device alone. When a name comes to stand for another id, nothing is sent there before you have run letter verify or
letter contacts accept.

    letter contacts
    letter contacts add bob uabc…
    letter contacts replace bob uxyz…
    letter contacts accept bob
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
			trust, err := c.Trust(s.ctx, contact.User)
			if err != nil {
				return err
			}
			if err := s.readRequest(c, contact.User); err != nil {
				return err
			}
			if err := s.showContact(contact, trust); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *session) showContact(contact client.Contact, trust client.Trust) error {
	if s.cli.JSON {
		view := map[string]any{"type": "contact", "name": contact.Name, "user": contact.User.String()}
		trustView(view, trust)
		if s.requests[contact.User] {
			view["request"] = true
		}
		return s.printJSON(view)
	}
	name := line(contact.Name)
	if name == "" {
		name = "(no name)"
	}
	if s.requests[contact.User] {
		name += "  (a request: not answered yet)"
	}
	return s.print("%s  %s%s", contact.User, name, trustText(trust))
}

// trustText is what stands behind a contact's name.
func trustText(trust client.Trust) (text string) {
	if !trust.Verified.IsZero() {
		text = "  (verified)"
	}
	switch {
	case trust.Blocked:
		text += "  (blocked)"
	case errors.Is(trust.MaySend(), client.ErrContactChanged):
		text += "  ! another id than before, not accepted yet"
	case errors.Is(trust.MaySend(), client.ErrContactAlarm):
		text += "  ! an alarm, not accepted yet"
	}
	return text
}

// trustView adds to a view in JSON: verified, and what waits to be accepted.
func trustView(view map[string]any, trust client.Trust) {
	if !trust.Verified.IsZero() {
		view["verified"] = trust.Verified
	}
	switch {
	case trust.Blocked:
		view["blocked"] = true
	case errors.Is(trust.MaySend(), client.ErrContactChanged):
		view["waits"], view["former"] = string(client.ContactChanged), trust.Changed.Former.String()
	case errors.Is(trust.MaySend(), client.ErrContactAlarm):
		view["waits"] = string(trust.Alarm.Reason)
	}
}

type contactsAddCommand struct {
	Name string `arg:"" help:"1 to 64 characters."`
	ID   string `arg:"" name:"id" help:"The user id, as they have told you."`
}

// Run names a user.
func (cmd *contactsAddCommand) Run(s *session) error {
	return s.name(cmd.Name, cmd.ID, (*client.Client).AddContact)
}

type contactsReplaceCommand struct {
	Name string `arg:"" help:"The name of a contact."`
	ID   string `arg:"" name:"id" help:"Their new user id, as they have told you."`
}

// Run lets a name stand for another user.
func (cmd *contactsReplaceCommand) Run(s *session) error {
	return s.name(cmd.Name, cmd.ID, (*client.Client).ReplaceContact)
}

// name gives a user a name, and says at once what that changes; the alarm about it comes with the next inbox or listen.
func (s *session) name(name, id string, give func(*client.Client, context.Context, string, client.UserID) error) error {
	user, err := client.ParseUserID(id)
	if err != nil {
		return usage("this is not a user id: u and 32 characters of a to z and 2 to 7")
	}
	return s.with(func(c *client.Client) error {
		err := give(c, s.ctx, name, user)
		if errors.Is(err, client.ErrContactName) {
			return usageError{err}
		}
		if err != nil {
			return err
		}
		trust, err := c.Trust(s.ctx, user)
		if err == nil && trust.Changed != nil {
			say(s.console, "! ALARM: %s stood for %s before", line(trust.Changed.Name), trust.Changed.Former)
			say(s.console, "Nothing is sent to the new id before: letter verify NAME, or letter contacts accept NAME")
		}
		return err
	})
}

type contactsAcceptCommand struct {
	Who string `arg:"" help:"A user id, or the name of a contact."`
}

// Run takes note of what waits to be accepted about somebody.
func (cmd *contactsAcceptCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error {
		user, err := c.Lookup(s.ctx, cmd.Who)
		if err != nil {
			return err
		}
		return c.Accept(s.ctx, user)
	})
}

type contactsRmCommand struct {
	Name string `arg:"" help:"The name to give up."`
}

// Run gives up a name.
func (cmd *contactsRmCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error { return c.RemoveContact(s.ctx, cmd.Name) })
}

// handler shows notices; names that another letter adds meanwhile are looked up.
func (s *session) handler(c *client.Client) client.Handler {
	return func(ctx context.Context, notice client.Notice) error {
		if err := s.readNames(c); err != nil {
			return err
		}
		if m := notice.Message; m != nil {
			if err := s.readRequest(c, m.Peer); err != nil {
				return err
			}
		}
		if err := s.show(notice); err != nil {
			return err
		}
		if m := notice.Message; m != nil && !m.Outgoing() {
			return c.MarkRead(ctx, m.Peer, m.Number)
		}
		return nil
	}
}

// readRequest looks whether what a user has written is a request.
func (s *session) readRequest(c *client.Client, user client.UserID) error {
	request, err := c.IsRequest(s.ctx, user)
	if s.requests == nil {
		s.requests = make(map[client.UserID]bool)
	}
	s.requests[user] = request
	return err
}

package main

import (
	"context"
	"time"

	"github.com/letterlock/letterlock/client"
)

type blockCommand struct {
	Who string `arg:"" help:"A user id, or the name of a contact."`
}

// Help is shown by letter block --help.
func (blockCommand) Help() string {
	return `Nothing of theirs is shown any more, and the server is told to drop it: it learns whom this device blocks. They are not told. It holds on
this device; do the same on others. What was said stays in the history.

    letter block bob
    letter block uabc…`
}

// Run blocks somebody.
func (cmd *blockCommand) Run(s *session) error {
	return s.changeBlocked(cmd.Who, "blocked", (*client.Client).Block)
}

type unblockCommand struct {
	Who string `arg:"" help:"A user id, or the name of a contact."`
}

// Help is shown by letter unblock --help.
func (unblockCommand) Help() string {
	return `What they sent meanwhile is lost.

    letter unblock bob`
}

// Run unblocks somebody.
func (cmd *unblockCommand) Run(s *session) error {
	return s.changeBlocked(cmd.Who, "unblocked", (*client.Client).Unblock)
}

func (s *session) changeBlocked(who, done string, change func(*client.Client, context.Context, client.UserID) error) error {
	return s.with(func(c *client.Client) error {
		user, err := c.Lookup(s.ctx, who)
		if err != nil {
			return err
		}
		if err := change(c, s.ctx, user); err != nil {
			return err
		}
		if s.cli.JSON {
			return s.printJSON(map[string]any{"type": done, "user": user.String()})
		}
		say(s.console, "%s: %s", done, s.who(user))
		return nil
	})
}

type blockedCommand struct{}

// Help is shown by letter blocked --help.
func (blockedCommand) Help() string {
	return `    letter blocked
    letter blocked --json`
}

// Run lists who is blocked.
func (blockedCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error {
		blocked, err := c.Blocked(s.ctx)
		if err != nil {
			return err
		}
		for _, b := range blocked {
			if err := s.showBlocked(b); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *session) showBlocked(b client.Blocked) error {
	if s.cli.JSON {
		return s.printJSON(map[string]any{
			"type": "blocked", "user": b.User.String(), "name": s.names[b.User], "since": b.At.Format(time.RFC3339),
		})
	}
	name := line(s.names[b.User])
	if name == "" {
		name = "(no name)"
	}
	return s.print("%s  %s  since %s", b.User, name, clock(b.At))
}

package main

import (
	"encoding/json"
	"time"

	"github.com/letterlock/letterlock/client"
)

type exportCommand struct{}

// Help is shown by letter export --help.
func (exportCommand) Help() string {
	return `It is JSON, some of it a line: your devices, their public keys and lists, and the sealed messages that wait for this device. Nothing is
opened or removed. What letter itself keeps, letter history and letter contacts show.

    letter export >mine.jsonl`
}

// Run prints what the server holds.
func (exportCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error {
		return c.ExportUser(s.ctx, func(part json.RawMessage) error { return s.printJSON(part) })
	})
}

type deleteUserCommand struct {
	Yes bool `help:"Do not ask."`
}

// Help is shown by letter delete-user --help.
func (deleteUserCommand) Help() string {
	return `The server forgets you and all your devices, at once and for good: what waits there is lost, nobody can write to you, and your id can't be registered
there again. What you have sent is delivered. Keys, contacts and history stay in this home until you delete it. It takes a
device that can change your list of devices.

    letter delete-user
    letter delete-user --yes`
}

// Run deletes the user.
func (cmd *deleteUserCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error {
		if !cmd.Yes && !s.confirm("Delete "+c.UserID().String()+" at "+c.Server()+" for good? ") {
			say(s.console, "nothing was deleted; --yes does so without asking")
			return nil
		}
		at, err := c.DeleteUser(s.ctx)
		if err != nil {
			return err
		}
		if s.cli.JSON {
			return s.printJSON(map[string]any{"type": "user-deleted", "user": c.UserID().String(), "at": at.Format(time.RFC3339Nano)})
		}
		return s.print("Deleted: %s", c.UserID())
	})
}

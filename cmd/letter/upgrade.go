package main

import "github.com/letterlock/letterlock/client"

type upgradeCommand struct{}

// Help is shown by letter upgrade --help.
func (upgradeCommand) Help() string {
	return `For homes of the first release, and those made with letter init --boxes. It shows what waits, then takes sessions instead of boxes, for good,
and deletes the box key. Who takes boxes alone can't be reached any more until they upgrade, too.

    letter upgrade`
}

// Run shows what waits and goes over to sessions.
func (upgradeCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error {
		if err := c.Inbox(s.ctx, s.handler(c)); err != nil {
			return err
		}
		if err := c.TakeSessions(s.ctx); err != nil {
			return err
		}
		if s.cli.JSON {
			return s.printJSON(map[string]any{"type": "upgrade", "protocols": []string{"sessions"}})
		}
		return s.print("This device takes sessions now.")
	})
}

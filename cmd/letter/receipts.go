package main

import "github.com/letterlock/letterlock/client"

type receiptsCommand struct {
	Delivered string `help:"Whether contacts learn that their messages have come: on or off." enum:"on,off" default:"on"`
	Read      string `help:"Whether contacts learn that you have seen them: on or off." enum:"on,off" default:"off"`
}

// Help is shown by letter receipts --help.
func (receiptsCommand) Help() string {
	return `Receipts are sealed like messages, and go only to contacts: to whom you have written, or have given a name.

    letter receipts --read=on
    letter receipts --delivered=off --read=off`
}

// Run decides about receipts.
func (cmd *receiptsCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error {
		if err := c.SetReceipts(s.ctx, cmd.Delivered == "on", cmd.Read == "on"); err != nil {
			return err
		}
		if s.cli.JSON {
			return s.printJSON(map[string]any{"type": "receipts", "delivered": cmd.Delivered == "on", "read": cmd.Read == "on"})
		}
		return s.print("Receipts: delivered %s, read %s.", cmd.Delivered, cmd.Read)
	})
}

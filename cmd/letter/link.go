package main

import (
	"bytes"
	"context"
	"errors"
	"os"

	"github.com/mdp/qrterminal/v3"

	"github.com/letterlock/letterlock/client"
)

type linkCommand struct {
	Code       string `arg:"" optional:"" help:"On a device of yours: the code that the new device shows."`
	Manage     bool   `help:"With a code: the new device gets your user key, too, and can link and unlink devices itself. So can its thief."`
	Yes        bool   `help:"Do not ask. On a new device this goes with --expect."`
	Expect     string `help:"On a new device: your user id. Any other that is offered is declined." placeholder:"ID"`
	Boxes      bool   `help:"On a new device: take boxes instead of sessions, as your other devices were made to."`
	Passphrase bool   `help:"On a new device: lock the home with a passphrase, as letter init does."`
}

// Help is shown by letter link --help.
func (linkCommand) Help() string {
	return `On the new device, letter link makes keys and shows a code, as text and as a QR code, for ten minutes. On a device that you have, letter link
with that code adds the new one. Both ask: compare what they show. Show the code to nobody else. History stays where it is.

    new device:    letter link
    old device:    letter link letterlock-link:abc…
    old device:    letter link letterlock-link:abc… --manage
    for scripts:   letter link --yes --expect uabc…
                   letter link letterlock-link:abc… --yes`
}

// Run links this device, or another one to it.
func (cmd *linkCommand) Run(s *session) error {
	switch {
	case cmd.Code == "" && cmd.Manage:
		return usage("--manage goes with the code, on the device that you have: letter link CODE --manage")
	case cmd.Code == "" && cmd.Yes && cmd.Expect == "":
		return usage("--yes on a new device needs --expect with your user id: else anybody could take it over")
	case cmd.Code != "" && (cmd.Expect != "" || cmd.Passphrase || cmd.Boxes):
		return usage("--expect, --passphrase and --boxes are for the new device, which has no code to be given")
	case cmd.Code != "":
		return cmd.invite(s)
	}
	return cmd.join(s)
}

// invite adds the device that shows the code.
func (cmd *linkCommand) invite(s *session) error {
	return s.with(func(c *client.Client) error {
		id, err := c.Link(s.ctx, cmd.Code, cmd.Manage, func(_ context.Context, question client.LinkQuestion) (bool, error) {
			say(s.console, "your user id:   %s", question.User)
			say(s.console, "the new device: %s", question.Device)
			if cmd.Manage {
				say(s.console, "it gets your user key, and can link and unlink devices")
			}
			return cmd.agreed(s, "Do both stand on the new device's screen, or is it the device that you hold? "), nil
		})
		if errors.Is(err, client.ErrLinkCode) {
			return usageError{err}
		}
		if err != nil {
			return err
		}
		if s.cli.JSON {
			return s.printJSON(map[string]any{"type": "linked", "user": c.UserID().String(), "device": id.String(), "manages": cmd.Manage})
		}
		return s.print("Linked: %s", id)
	})
}

// agreed asks, unless the command line has said yes.
func (cmd *linkCommand) agreed(s *session, question string) bool {
	return cmd.Yes || s.confirm(question)
}

// join makes keys in a home that has none, and has an existing device add them.
func (cmd *linkCommand) join(s *session) (err error) {
	prompt := client.LinkPrompt{Show: s.showLinkCode}
	if prompt.Confirm, err = cmd.joinConfirm(s); err != nil {
		return err
	}
	if c, err := client.Open(s.ctx, s.options()); err == nil {
		return errors.Join(client.ErrHasKeys, c.Close())
	} else if !errors.Is(err, client.ErrNoHome) {
		return err
	}
	options := s.options()
	options.Boxes, options.Passphrase = cmd.Boxes, nil
	if cmd.Passphrase || os.Getenv(passphraseVariable) != "" {
		options.Passphrase = s.newPassphrase
	}
	c, err := client.Join(s.ctx, options, prompt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if s.cli.JSON {
		return s.printJSON(map[string]any{
			"type": "device", "user": c.UserID().String(), "device": c.DeviceID().String(), "home": s.cli.Home,
			"server": c.Server(), "new": true, "registered": true,
		})
	}
	return s.print("This is now a device of %s.", c.UserID())
}

func (cmd *linkCommand) joinConfirm(s *session) (client.LinkConfirm, error) {
	var expected client.UserID
	if cmd.Expect != "" {
		var err error
		if expected, err = client.ParseUserID(cmd.Expect); err != nil {
			return nil, usage("--expect: this is not a user id: u and 32 characters of a to z and 2 to 7")
		}
	}
	return func(_ context.Context, question client.LinkQuestion) (bool, error) {
		say(s.console, "user id:     %s", question.User)
		say(s.console, "this device: %s", question.Device)
		if cmd.Expect != "" && question.User != expected {
			say(s.console, "this is not the user that was expected")
			return false, nil
		}
		return cmd.agreed(s, "Is this your user id, as letter id shows it on your other device? "), nil
	}, nil
}

// showLinkCode shows the code of a new device.
func (s *session) showLinkCode(_ context.Context, code string) error {
	if s.cli.JSON {
		return s.printJSON(map[string]any{"type": "link-code", "code": code})
	}
	var picture bytes.Buffer
	qrterminal.GenerateHalfBlock(code, qrterminal.L, &picture)
	if err := s.print("%s\n%s\n", picture.String(), code); err != nil {
		return err
	}
	say(s.console, "on a device that you have: letter link CODE; this code is good for ten minutes, and for your eyes alone")
	return nil
}

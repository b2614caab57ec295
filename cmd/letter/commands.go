package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/letterlock/letterlock/client"
)

type initCommand struct {
	Boxes      bool   `help:"Make a device that takes boxes instead of sessions, to talk with simple clients. It has no forward secrecy and reaches no device that takes sessions."`
	Invite     string `help:"An invite of the server's operator, where the server asks for one." placeholder:"CODE"`
	Passphrase bool   `help:"Lock the home with a passphrase, asked for at every command or taken from LETTER_PASSPHRASE. Without it, a key file that only you can read opens the home."`
}

// Help is shown by letter init --help.
func (initCommand) Help() string {
	return `The keys never leave this device. If the server can't be reached, they are registered by the next command that reaches it.
With keys in the home already, only the registration is done if it is missing. Setting LETTER_PASSPHRASE is as good as --passphrase.

    letter init
    letter init --passphrase
    letter init --boxes
    letter init --invite CODE
    LETTER_HOME=bob letter init`
}

// Run makes the keys.
func (cmd *initCommand) Run(s *session) (err error) {
	options := s.options()
	options.Invite = cmd.Invite
	options.Passphrase, options.Boxes = nil, cmd.Boxes
	if cmd.Passphrase || os.Getenv(passphraseVariable) != "" {
		options.Passphrase = s.newPassphrase
	}
	locked := false
	existing := s.options()
	existing.Invite = cmd.Invite
	ask := existing.Passphrase
	existing.Passphrase = func() ([]byte, error) { locked = true; return ask() }
	c, err := client.Open(s.ctx, existing)
	made := errors.Is(err, client.ErrNoHome)
	if made {
		c, err = client.Init(s.ctx, options)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if cmd.Passphrase && !made && !locked {
		return client.ErrNoPassphrase // it must not look as if it had one now
	}
	return s.showInit(c, made, c.Register(s.ctx))
}

func (s *session) showInit(c *client.Client, made bool, unregistered error) error {
	if s.cli.JSON {
		return s.printJSON(map[string]any{
			"type": "device", "user": c.UserID().String(), "device": c.DeviceID().String(), "home": s.cli.Home,
			"server": c.Server(), "new": made, "registered": unregistered == nil,
		})
	}
	how := "Your keys are made, in %s."
	if !made {
		how = "There are keys already, in %s; they stay."
	}
	if err := s.print(how, line(s.cli.Home)); err != nil {
		return err
	}
	if errors.Is(unregistered, client.ErrInviteRequired) {
		say(s.console, "not registered at %s yet: %s", c.Server(), line(unregistered.Error()))
		say(s.console, "With a code: letter init --invite CODE")
	} else if unregistered != nil {
		say(s.console, "not registered at %s yet: %s", c.Server(), line(unregistered.Error()))
		say(s.console, "The next command that reaches the server does it.")
	} else if err := s.print("Registered at %s.", c.Server()); err != nil {
		return err
	}
	return s.print("Your user id, for others to write to you:\n%s", c.UserID())
}

type idCommand struct{}

// Help is shown by letter id --help.
func (idCommand) Help() string {
	return `Give it to others over a channel that they trust: who has the right id can check everything below it.

    letter id
    letter id --json`
}

// Run prints the id.
func (idCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error {
		if s.cli.JSON {
			return s.printJSON(map[string]any{"type": "id", "user": c.UserID().String(), "device": c.DeviceID().String()})
		}
		return s.print("%s", c.UserID())
	})
}

type sendCommand struct {
	To   string   `arg:"" help:"A user id, or the name of a contact."`
	Text []string `arg:"" optional:"" help:"The text; - or nothing reads it from standard input."`
}

// Help is shown by letter send --help.
func (sendCommand) Help() string {
	return `It is sealed here, for each device of theirs. The command ends when the server has it on disk. If the server can't be reached, it is
kept and goes out with a later command; the exit code is 3 then. A text has at most 60,000 bytes.

    letter send bob hello
    letter send bob - < letter.txt
    date | letter send uabc…`
}

// Run sends the message.
func (cmd *sendCommand) Run(s *session) error {
	text, err := cmd.text(s.console)
	if err != nil {
		return err
	}
	return s.with(func(c *client.Client) error {
		to, err := c.Lookup(s.ctx, cmd.To)
		if err != nil {
			return err
		}
		message, err := c.Send(s.ctx, to, text)
		var queued *client.QueuedError
		if err != nil && !errors.As(err, &queued) {
			return err
		}
		if s.cli.JSON {
			return errors.Join(s.printJSON(s.messageView(&message)), err)
		}
		if err == nil {
			say(s.console, "sent to %s", s.who(to))
		}
		return err
	})
}

// maxInput is one byte more than the longest text with a line break at its end.
const maxInput = 60_000 + 3

func (cmd *sendCommand) text(console console) (string, error) {
	text := strings.Join(cmd.Text, " ")
	if text == "" && len(cmd.Text) == 0 || text == "-" {
		if console.typed && console.watched {
			say(console, "type the message; end it with Ctrl-D on a line of its own")
		}
		read, err := io.ReadAll(io.LimitReader(console.in, maxInput))
		if err != nil {
			return "", fmt.Errorf("read standard input: %w", err)
		}
		text = strings.TrimSuffix(strings.TrimSuffix(string(read), "\n"), "\r")
	}
	switch {
	case text == "":
		return "", usage("there is no text to send")
	case len(text) > 60_000:
		return "", usageError{client.ErrTextTooLong}
	case !utf8.ValidString(text):
		return "", usageError{client.ErrTextNotUTF8}
	}
	return text, nil
}

type listenCommand struct{}

// Help is shown by letter listen --help.
func (listenCommand) Help() string {
	return `It reconnects by itself for as long as it takes, and sends what is queued. Other commands work beside it.

    letter listen
    letter listen --json | while read -r message; do …; done`
}

// Run shows messages until it is interrupted.
func (listenCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error {
		if s.console.watched {
			say(s.console, "listening for %s; Ctrl-C ends it", c.UserID())
		}
		err := c.Listen(s.ctx, s.handler(c))
		if s.ctx.Err() != nil && errors.Is(err, s.ctx.Err()) {
			return nil
		}
		return err
	})
}

type inboxCommand struct{}

// Help is shown by letter inbox --help.
func (inboxCommand) Help() string {
	return `Each message is shown once, by inbox or by listen; letter history shows it again.

    letter inbox
    letter inbox --json`
}

// Run shows what waits.
func (inboxCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error { return c.Inbox(s.ctx, s.handler(c)) })
}

type historyCommand struct {
	With  string `arg:"" help:"A user id, or the name of a contact."`
	Limit int    `help:"How many messages, 1 to 1000: the last ones." short:"n" default:"50"`
}

// Help is shown by letter history --help.
func (historyCommand) Help() string {
	return `    letter history bob
    letter history bob -n 200 --json`
}

// Run shows the last messages of a conversation.
func (cmd *historyCommand) Run(s *session) error {
	if cmd.Limit < 1 || cmd.Limit > 1000 {
		return usage("--limit must be from 1 to 1000")
	}
	return s.with(func(c *client.Client) error {
		with, err := c.Lookup(s.ctx, cmd.With)
		if err != nil {
			return err
		}
		messages, err := c.History(s.ctx, with, 0, cmd.Limit)
		for i := range messages {
			err = errors.Join(err, s.showMessage(&messages[i]))
		}
		return err
	})
}

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/letterlock/letterlock/client"
)

const passphraseVariable = "LETTER_PASSPHRASE"

// session is one run of a command.
type session struct {
	ctx     context.Context //nolint:containedctx // lives as long as the command
	console console
	cli     *cli
	tls     *tls.Config // nil for the system's ways
	names   map[client.UserID]string
	// requests are users whose messages are requests, of those that were shown.
	requests map[client.UserID]bool
}

func (s *session) options() client.Options {
	patience := s.cli.Wait
	if patience <= 0 {
		patience = -1 // one try
	}
	return client.Options{
		Home: s.cli.Home, Server: s.cli.Server, Passphrase: s.passphrase, Patience: patience, OnWait: s.waiting,
		TLS: s.tls,
	}
}

// with opens the home for a command.
func (s *session) with(do func(*client.Client) error) (err error) {
	c, err := client.Open(s.ctx, s.options())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := s.readNames(c); err != nil {
		return err
	}
	return do(c)
}

func (s *session) readNames(c *client.Client) error {
	contacts, err := c.Contacts(s.ctx)
	if err != nil {
		return err
	}
	s.names = make(map[client.UserID]string, len(contacts)+1)
	for _, contact := range contacts {
		s.names[contact.User] = contact.Name
	}
	return nil
}

// waiting shows on a terminal what is waited for.
func (s *session) waiting(why error, next time.Duration) {
	if s.console.watched {
		say(s.console, "%s – trying again in %.1f s", line(why.Error()), next.Seconds())
	}
}

// passphrase takes it from the environment, or asks for it on the terminal.
func (s *session) passphrase() ([]byte, error) {
	if given := os.Getenv(passphraseVariable); given != "" {
		return []byte(given), nil
	}
	return s.ask("Passphrase: ")
}

// newPassphrase asks twice.
func (s *session) newPassphrase() ([]byte, error) {
	if given := os.Getenv(passphraseVariable); given != "" {
		return []byte(given), nil
	}
	first, err := s.ask("New passphrase: ")
	if err != nil {
		return nil, err
	}
	second, err := s.ask("The same again: ")
	if err != nil {
		return nil, err
	}
	if string(first) != string(second) {
		return nil, errors.New("the two passphrases differ; nothing was made")
	}
	return first, nil
}

// ask reads from the terminal itself: standard input may be the message.
func (s *session) ask(prompt string) (answer []byte, err error) {
	if !s.console.watched {
		return nil, client.ErrPassphraseNeeded
	}
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		if !s.console.typed {
			return nil, client.ErrPassphraseNeeded
		}
		terminal = os.Stdin
	} else {
		defer func() { err = errors.Join(err, terminal.Close()) }()
	}
	_, _ = fmt.Fprint(s.console.err, prompt)
	answer, err = term.ReadPassword(int(terminal.Fd()))
	_, _ = fmt.Fprintln(s.console.err)
	return answer, err
}

// print writes a line to standard output.
func (s *session) print(format string, args ...any) error {
	_, err := fmt.Fprintf(s.console.out, format+"\n", args...)
	return err
}

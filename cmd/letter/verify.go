package main

import (
	"bufio"
	"bytes"
	"strings"

	"github.com/mdp/qrterminal/v3"

	"github.com/letterlock/letterlock/client"
)

type verifyCommand struct {
	Who    string `arg:"" help:"A user id, or the name of a contact."`
	Number string `help:"The 60 digits that they see, to be compared with yours." placeholder:"DIGITS"`
	Code   string `help:"The text of the QR code that they show." placeholder:"TEXT"`
	Yes    bool   `help:"Mark them as verified without asking, if --number or --code matches."`
	Undo   bool   `help:"Mark them as not verified."`
}

// Help is shown by letter verify --help.
func (verifyCommand) Help() string {
	return `Both of you see the same 60 digits if each has the right id of the other. Compare them over a channel that shows you who speaks: face to face,
or in a call. On a terminal you are asked whether they are the same.

    letter verify bob
    letter verify bob --number "12345 67890 …" --yes
    letter verify bob --code letterlock-safety:… --yes
    letter verify bob --undo`
}

// Run shows or compares the safety number, and marks who was verified.
func (cmd *verifyCommand) Run(s *session) error {
	shown := cmd.Number + cmd.Code
	switch {
	case cmd.Number != "" && cmd.Code != "":
		return usage("--number and --code say the same; give one of them")
	case cmd.Yes && shown == "":
		return usage("--yes goes with --number or --code: there is nothing to compare with")
	case cmd.Undo && shown != "":
		return usage("--undo goes alone")
	}
	return s.with(func(c *client.Client) error {
		user, err := c.Lookup(s.ctx, cmd.Who)
		if err != nil {
			return err
		}
		if cmd.Undo {
			return c.Unverify(s.ctx, user)
		}
		number, err := c.SafetyNumber(s.ctx, user)
		if err != nil {
			return err
		}
		if shown == "" {
			return cmd.show(s, c, user, number)
		}
		return cmd.compare(s, c, user, number, shown)
	})
}

// compare marks them if what they see is the same, and the user says so.
func (cmd *verifyCommand) compare(s *session, c *client.Client, user client.UserID, number client.SafetyNumber, shown string) error {
	if err := number.Compare(shown); err != nil {
		return err
	}
	say(s.console, "the safety number is the same")
	if !cmd.Yes && !s.confirm("Mark "+s.who(user)+" as verified? ") {
		say(s.console, "%s is not marked as verified; --yes does so without asking", s.who(user))
		return nil
	}
	return s.markVerified(c, user, shown)
}

// show prints the number and asks, where somebody is there to answer.
func (cmd *verifyCommand) show(s *session, c *client.Client, user client.UserID, number client.SafetyNumber) error {
	trust, err := c.Trust(s.ctx, user)
	if err != nil {
		return err
	}
	if s.cli.JSON {
		view := map[string]any{
			"type": "safety-number", "user": user.String(), "contact": s.names[user], "number": number.String(), "code": number.Code(),
		}
		trustView(view, trust)
		return s.printJSON(view)
	}
	if err := s.printSafetyNumber(number); err != nil {
		return err
	}
	say(s.console, "safety number of you and %s%s", s.who(user), trustText(trust))
	if !s.confirm("Does " + s.who(user) + " see the same digits? ") {
		return nil
	}
	return s.markVerified(c, user, number.String())
}

// groupsPerLine is how many groups of five digits stand on a line.
const groupsPerLine = 4

func (s *session) printSafetyNumber(number client.SafetyNumber) error {
	var picture bytes.Buffer
	qrterminal.GenerateHalfBlock(number.Code(), qrterminal.L, &picture)
	if err := s.print("%s\n%s\n", picture.String(), number.Code()); err != nil {
		return err
	}
	groups := strings.Fields(number.String())
	for at := 0; at < len(groups); at += groupsPerLine {
		if err := s.print("    %s", strings.Join(groups[at:at+groupsPerLine], " ")); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) markVerified(c *client.Client, user client.UserID, shown string) error {
	if err := c.Verify(s.ctx, user, shown); err != nil {
		return err
	}
	say(s.console, "%s is verified", s.who(user))
	return nil
}

// confirm asks at a terminal; whatever is not "yes", and where there is none, is no.
func (s *session) confirm(question string) bool {
	if !s.console.typed || s.cli.JSON {
		return false
	}
	say(s.console, "%sType yes or no.", question)
	answer, err := bufio.NewReader(s.console.in).ReadString('\n')
	return err == nil && strings.EqualFold(strings.TrimSpace(answer), "yes")
}

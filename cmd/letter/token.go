package main

import (
	"encoding/json"

	"github.com/letterlock/letterlock/client"
)

type tokenCommand struct {
	Playground bool   `help:"Print the headers to paste into the playground."`
	Vars       string `help:"Print the variables of a mutation to paste into the playground: registerKey or sendMessage." enum:"registerKey,sendMessage," default:"" placeholder:"MUTATION"`
	To         string `help:"For sendMessage: a user id, or the name of a contact."`
	Text       string `help:"For sendMessage: the text." default:"hello from the playground"`
}

// Help is shown by letter token --help.
func (tokenCommand) Help() string {
	return `A token holds for nine minutes. Who has it can read and delete what waits for this device, and send in its name, but open nothing.

    curl -H "Authorization: Bearer $(letter token)" …
    letter token --playground
    letter token --vars registerKey
    letter token --vars sendMessage --to bob --text hello

The variables are for these operations:

    mutation ($input: RegisterKeyInput!) { registerKey(input: $input) { device { id } } }
    mutation ($input: SendMessageInput!) { sendMessage(input: $input) { acceptedAt deliveries { deviceId status } } }

A message whose variables were printed is in the outbox: if the playground has not sent it, a later command does.`
}

// Run prints what was asked for.
func (cmd *tokenCommand) Run(s *session) error {
	if (cmd.Vars == "sendMessage") != (cmd.To != "") {
		return usage("--vars sendMessage and --to go together")
	}
	if cmd.Playground && cmd.Vars != "" {
		return usage("--playground and --vars are for one paste each; give one of them")
	}
	return s.with(func(c *client.Client) error {
		switch {
		case cmd.Vars == "registerKey":
			variables, err := c.RegisterVariables(s.ctx)
			return s.printVariables(variables, err)
		case cmd.Vars == "sendMessage":
			to, err := c.Lookup(s.ctx, cmd.To)
			if err != nil {
				return err
			}
			variables, err := c.SendVariables(s.ctx, to, cmd.Text)
			return s.printVariables(variables, err)
		}
		return cmd.printToken(s, c)
	})
}

func (cmd *tokenCommand) printToken(s *session, c *client.Client) error {
	token, err := c.Token(s.ctx)
	if err != nil {
		return err
	}
	switch {
	case cmd.Playground:
		return s.printJSON(map[string]string{"Authorization": "Bearer " + token})
	case s.cli.JSON:
		return s.printJSON(map[string]string{"type": "token", "token": token, "server": c.Server()})
	default:
		return s.print("%s", token)
	}
}

func (s *session) printVariables(variables json.RawMessage, err error) error {
	if err != nil {
		return err
	}
	return s.print("%s", variables)
}

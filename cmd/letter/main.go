// Command letter sends and receives end-to-end encrypted messages through a Letterlock server. `letter --help` says how.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

const description = `Letterlock's command line: end-to-end encrypted messages from a terminal.

First steps, on one machine:

    LETTER_HOME=alice letter init
    LETTER_HOME=bob letter init
    LETTER_HOME=alice letter contacts add bob "$(LETTER_HOME=bob letter id)"
    LETTER_HOME=alice letter send bob hello
    LETTER_HOME=bob letter inbox

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 the message is kept and goes out with a later command; 4 the passphrase is
missing or wrong; 5 another letter is receiving for this home, or has taken over.`

// cli is the command line.
type cli struct {
	Server string        `help:"The server's URL (default: http://localhost:8080)." env:"LETTER_SERVER" default:"http://localhost:8080" placeholder:"URL"`
	CA     string        `name:"ca" help:"Certificates that the server's own is checked by, as PEM, if it is none of a public authority." env:"LETTER_CA" placeholder:"FILE"`
	Home   string        `help:"Where keys and history are kept (default: ${home})." env:"LETTER_HOME" placeholder:"DIR"`
	Wait   time.Duration `help:"How long to try again while the server can't be reached; listen tries for ever (default: 5s)." default:"5s" placeholder:"TIME"`
	JSON   bool          `help:"Print JSON, one object a line, for programs."`

	Init     initCommand     `cmd:"" help:"Make keys in this home and register them."`
	ID       idCommand       `cmd:"" name:"id" help:"Print your user id, to share with others."`
	Send     sendCommand     `cmd:"" help:"Send a message."`
	Listen   listenCommand   `cmd:"" help:"Show messages as they come, until interrupted."`
	Inbox    inboxCommand    `cmd:"" help:"Show the messages that wait, and end."`
	History  historyCommand  `cmd:"" help:"Show what was said with somebody. It is kept on this device alone."`
	Upgrade  upgradeCommand  `cmd:"" help:"Take sessions instead of boxes, on a device that was made for boxes."`
	Receipts receiptsCommand `cmd:"" help:"Decide whether contacts learn that their messages were delivered and read."`
	Contacts contactsCommand `cmd:"" help:"Give user ids names that only you see."`
	Block    blockCommand    `cmd:"" help:"Take nothing from somebody any more."`
	Unblock  unblockCommand  `cmd:"" help:"Take messages from somebody again."`
	Blocked  blockedCommand  `cmd:"" help:"List whom you have blocked."`
	Verify   verifyCommand   `cmd:"" help:"Compare safety numbers with somebody, to be sure of their id."`
	Link     linkCommand     `cmd:"" help:"Make this a further device of yours, or add one to this."`
	Devices  devicesCommand  `cmd:"" help:"List your devices."`
	Unlink   unlinkCommand   `cmd:"" help:"Remove a device of yours, for good."`
	Export   exportCommand   `cmd:"" help:"Print what the server holds of you."`

	DeleteUser deleteUserCommand `cmd:"" help:"Have the server forget you, for good."`

	Token tokenCommand `cmd:"" help:"Print a device token, and variables to try things in the playground."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		watched: term.IsTerminal(int(os.Stderr.Fd())),
		typed:   term.IsTerminal(int(os.Stdin.Fd())),
	})
	stop()
	os.Exit(code)
}

// console is where a command reads and writes.
type console struct {
	in       io.Reader
	out, err io.Writer
	watched  bool // err is a terminal
	typed    bool // in is a terminal
}

// run runs one command and gives its exit code.
func run(ctx context.Context, args []string, console console) int {
	var (
		commands cli
		helped   bool
	)
	parser, err := kong.New(&commands, kong.Name("letter"), kong.Description(description),
		kong.Vars{"home": defaultHome()}, kong.Writers(console.out, console.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Exit(func(int) { helped = true }))
	if err != nil {
		return report(console, err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if helped {
		return exitDone
	}
	if err != nil {
		say(console, "%s", line(err.Error()))
		say(console, "Try: letter --help")
		return exitUsage
	}
	if commands.Home == "" {
		commands.Home = defaultHome()
	}
	tls, err := trust(commands.CA)
	if err != nil {
		say(console, "%s", line(fmt.Sprintf("--ca, LETTER_CA: %v", err)))
		return exitUsage
	}
	err = parsed.Run(&session{ctx: ctx, console: console, cli: &commands, tls: tls})
	return report(console, err)
}

// defaultHome is letterlock in the operating system's place for configuration.
func defaultHome() string {
	config, err := os.UserConfigDir()
	if err != nil {
		return ".letterlock"
	}
	return filepath.Join(config, "letterlock")
}

// say writes a line for people to standard error, where nothing can be done about an error.
func say(console console, format string, args ...any) {
	_, _ = fmt.Fprintf(console.err, "letter: "+format+"\n", args...)
}

// usageError is wrong usage that the parser can't see.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usage(text string) error { return usageError{errors.New(text)} }

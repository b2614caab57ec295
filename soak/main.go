// Command soak has many devices use whole servers in trouble, writes down all that they ask and are answered, and checks that against
// the delivery contract (docs/reliability.md). Trouble and devices follow a seed. `make soak duration=…` runs all of it.
//
//	soak list                                        # what can go wrong
//	soak run --duration 10m --only kill              # one kind of trouble
//	soak run --only kill --seed 7 --history .        # the same again, written down
//	soak check kill-SQLite-7.jsonl                   # judge what was written down
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/letterlock/letterlock/soak/internal/history"
	"github.com/letterlock/letterlock/soak/internal/rig"
)

type cli struct {
	Run   runCommand   `cmd:"" default:"withargs" help:"Run scenarios one after the other and print a table."`
	Check checkCommand `cmd:"" help:"Judge a history that was written down."`
	List  listCommand  `cmd:"" help:"Print the scenarios."`

	// What runs start this program again for.
	Server serverPart `cmd:"" hidden:"" help:"Be the server with a clock that its input moves."`
	Disk   diskPart   `cmd:"" hidden:"" help:"Be a disk that becomes read-only when its input says so."`
}

type runCommand struct {
	Binary   string        `help:"Server binary." default:"bin/letterlock" type:"existingfile"`
	Duration time.Duration `help:"How long each scenario runs on each store." default:"1m"`
	Only     []string      `help:"Scenarios to run; default all." placeholder:"NAME"`
	Stores   []string      `help:"SQLite, PostgreSQL or both; PostgreSQL's programs have to be on the PATH." default:"SQLite,PostgreSQL" enum:"SQLite,PostgreSQL" placeholder:"STORE"`
	Rounds   int           `help:"How often to run everything, each time with the next seed." default:"1"`
	Seed     uint64        `help:"What devices and trouble draw from; default the time."`
	People   int           `help:"How many users, each with up to three devices." default:"10"`
	Crowd    int           `help:"How many more devices stay connected where all come back at once." default:"10000"`
	History  string        `help:"Directory to write the histories and the logs of the servers to, a file each." type:"existingdir" placeholder:"DIRECTORY"`
	Verbose  bool          `help:"Print all breaches instead of the first few." short:"v"`
}

type (
	checkCommand struct {
		File string `arg:"" type:"existingfile"`
	}
	listCommand struct{}
)

var (
	errBreach = errors.New("the contract was broken, or the server has made mistakes of its own")
	errNotRun = errors.New("not all that was asked for by name can run on this machine")
)

func main() {
	var c cli
	parsed := kong.Parse(&c, kong.Name("soak"), kong.ShortUsageOnError(),
		kong.Description("Checks servers in trouble against the delivery contract."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.FatalIfErrorf(parsed.Run())
}

// Run runs and prints a row as soon as it is known.
func (c *runCommand) Run(ctx context.Context) (err error) {
	o := options{program: c.Binary, seed: c.Seed, duration: c.Duration, people: c.People, crowd: c.Crowd, patience: 2 * time.Minute, histories: c.History}
	if o.seed == 0 {
		o.seed = uint64(time.Now().Unix()) // #nosec G115 -- any number will do
	}
	if slices.Contains(c.Stores, postgresql) {
		if o.postgres, err = rig.NewPostgres(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.postgres.Close()) }()
	}
	chosen, err := c.chosen()
	if err != nil {
		return err
	}
	return c.runAll(ctx, newTable(os.Stdout), chosen, o)
}

func (c *runCommand) runAll(ctx context.Context, t *table, chosen []scenario, o options) error {
	notRun := 0
	for range c.Rounds {
		for _, s := range chosen {
			n, err := c.runOn(ctx, t, s, o)
			if err != nil {
				return err
			}
			notRun += n
		}
		o.seed++
	}
	t.sum()
	if notRun > 0 {
		t.note("%d did not run", notRun)
	}
	switch {
	case t.breaches > 0:
		return errBreach
	case notRun > 0 && len(c.Only) > 0:
		return errNotRun
	}
	return nil
}

// runOn runs a scenario on each store, and gives on how many it cannot run.
func (c *runCommand) runOn(ctx context.Context, t *table, s scenario, o options) (notRun int, err error) {
	for _, store := range s.stores {
		if !slices.Contains(c.Stores, store) {
			continue
		}
		if err := s.works(ctx, store, o); err != nil {
			t.note("%s on %s cannot run on this machine: %v", s.name, store, err)
			notRun++
			continue
		}
		result, err := do(ctx, s, store, o)
		if err != nil {
			return notRun, err
		}
		t.row(result, c.Verbose)
	}
	return notRun, nil
}

func (c *runCommand) chosen() ([]scenario, error) {
	all := scenarios()
	if len(c.Only) == 0 {
		return all, nil
	}
	var list []scenario
	for _, name := range c.Only {
		i := slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no scenario %q: see soak list", name)
		}
		list = append(list, all[i])
	}
	return list, nil
}

// Run judges a file.
func (c *checkCommand) Run() error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	checker, err := history.Load(bufio.NewReader(file))
	if err != nil {
		return err
	}
	breaches, n := checker.Breaches()
	for _, b := range breaches {
		fmt.Println(b)
	}
	fmt.Printf("%d operations, %d breaches\n", checker.Operations(), n)
	if n > 0 {
		return errBreach
	}
	return nil
}

// Run prints the scenarios.
func (listCommand) Run() (err error) {
	for _, s := range scenarios() {
		_, err = fmt.Printf("%-12s %s\n", s.name, s.about)
	}
	return err
}

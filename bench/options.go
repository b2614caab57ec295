package main

import (
	"errors"
	"time"
)

// options hold for every scenario.
type options struct {
	Binary     string        `help:"Server binary to measure." default:"bin/letterlock" type:"path"`
	Base       string        `help:"Older server binary to measure in turn with it, for the ratio." type:"existingfile" placeholder:"BINARY"`
	Database   string        `help:"PostgreSQL whose user may make databases, as postgres://user@host/postgres. Each run has one of its own. Without it: SQLite alone." placeholder:"URL"`
	Stores     []string      `help:"Which of sqlite, postgresql to measure; default all that there are." enum:"sqlite,postgresql" placeholder:"STORE"`
	Server     string        `help:"Origin of a server that runs already, instead of --binary; for live, many and pair." placeholder:"URL"`
	NATSServer string        `name:"nats-server" help:"nats-server binary, for several nodes." type:"existingfile" placeholder:"BINARY"`
	Runs       int           `help:"How many runs; tables show the median and the range." default:"5"`
	Duration   time.Duration `help:"How long to count for, in each run." default:"6s"`
	Warmup     time.Duration `help:"How long to send before counting." default:"2s"`
	Size       int           `help:"Bytes of ciphertext in an envelope." default:"256"`
	Document   string        `help:"Markdown file whose marked blocks are renewed." type:"existingfile" placeholder:"FILE"`
	JSON       string        `help:"File for all results." type:"path" placeholder:"FILE"`
}

// The stores.
const (
	sqlite     = "sqlite"
	postgresql = "postgresql"
)

// stores gives what to measure, PostgreSQL first.
func (o *options) stores() ([]string, error) {
	if o.Server != "" {
		return []string{"as it runs"}, nil
	}
	asked := func(store string) bool {
		for _, s := range o.Stores {
			if s == store {
				return true
			}
		}
		return len(o.Stores) == 0
	}
	var stores []string
	if o.Database != "" && asked(postgresql) {
		stores = append(stores, postgresql)
	}
	if asked(sqlite) {
		stores = append(stores, sqlite)
	}
	if len(stores) == 0 {
		return nil, errors.New("--stores=postgresql needs --database")
	}
	return stores, nil
}

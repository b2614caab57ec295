package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// bench runs the cases of a scenario in turn and tells what came out.
type bench struct {
	options
	out, log io.Writer
	machine  *machine
	results  results
}

// measure is one run of a case, with one server binary.
type measure func(ctx context.Context, binary string) (sample, error)

// errUnavailable says that a server cannot do what a case needs: an older one, as a rule.
var errUnavailable = errors.New("this server cannot do it")

// tell says what a scenario's table is about.
type tell struct {
	name string // of the command, and of the block in the document
	text string // what was measured: a sentence or two above the table
	runs int
}

// compare measures all cases in turn, run by run, and prints, keeps and publishes the table. A run that broke the delivery contract
// ends everything.
func (b *bench) compare(ctx context.Context, t tell, columns []*column) error {
	if err := b.look(ctx); err != nil {
		return err
	}
	columns = b.withBase(columns)
	for run := range t.runs {
		for _, c := range columns {
			binary := b.Binary
			if c.of != nil {
				binary = b.Base
			}
			s, err := withSpeed(ctx, c.measure, binary)
			if errors.Is(err, errUnavailable) {
				b.note("%s, %s: %v", t.name, c.label, err)
				continue
			}
			if err != nil {
				return fmt.Errorf("%s, %s, run %d: %w", t.name, c.label, run+1, err)
			}
			b.note("%s, %s, run %d: %s", t.name, c.label, run+1, s)
			c.samples = append(c.samples, s)
		}
	}
	if len(rows(columns)) == 0 {
		return nil // and what was found before stays
	}
	return b.publish(t, columns)
}

// withSpeed measures a run, and how fast the machine was before and behind it.
func withSpeed(ctx context.Context, run measure, binary string) (sample, error) {
	before, err := speed()
	if err != nil {
		return nil, err
	}
	s, err := run(ctx, binary)
	if err != nil {
		return nil, err
	}
	behind, err := speed()
	s.add("machine_speed", "speed of the machine: pieces of work per second of CPU", number, (before+behind)/2)
	return s, err
}

// eachStore compares in a scenario that has one case on each store.
func (b *bench) eachStore(ctx context.Context, t tell, run func(ctx context.Context, want wanted) (sample, error)) error {
	stores, err := b.stores()
	if err != nil {
		return err
	}
	var columns []*column
	for _, store := range stores {
		columns = append(columns, &column{label: store, measure: func(ctx context.Context, binary string) (sample, error) {
			return run(ctx, wanted{store: store, binary: binary})
		}})
	}
	return b.compare(ctx, t, columns)
}

// withBase puts behind each case the same with the older binary.
func (b *bench) withBase(columns []*column) []*column {
	if b.Base == "" {
		return columns
	}
	var all []*column
	for _, c := range columns {
		all = append(all, c, &column{label: c.label + ", base", measure: c.measure, of: c})
	}
	return all
}

func (b *bench) publish(t tell, columns []*column) error {
	var text strings.Builder
	runs := fmt.Sprintf("Median of %d runs (lowest – highest)", t.runs)
	if t.runs == 1 {
		runs = "One run"
	}
	fmt.Fprintf(&text, "%s %s. %s.\n\n%s", t.text, runs, b.machine.short(), markdown(columns))
	if _, err := fmt.Fprintf(b.out, "## %s\n\n%s\n", t.name, text.String()); err != nil {
		return err
	}
	b.results.keep(t.name, columns)
	if b.JSON != "" {
		if err := b.results.write(b.JSON, b.machine); err != nil {
			return err
		}
	}
	if b.Document == "" {
		return nil
	}
	return errors.Join(renew(b.Document, "machine", b.machine.markdown()), renew(b.Document, t.name, text.String()))
}

// note tells whoever watches.
func (b *bench) note(format string, values ...any) {
	_, _ = fmt.Fprintf(b.log, format+"\n", values...) // nobody watches if it cannot be written
}

// look finds out about the machine, once.
func (b *bench) look(ctx context.Context) (err error) {
	if b.machine == nil {
		b.machine, err = lookAround(ctx, b.Database)
	}
	return err
}

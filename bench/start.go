package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// start is how long a server takes to be of use.
type start struct {
	Times int `help:"How many starts of each kind." default:"10"`
}

// Run measures.
func (t *start) Run(ctx context.Context, b *bench) error {
	if err := b.mustStart(); err != nil {
		return err
	}
	text := "From starting the process to the first answer of `{ server { version } }` over HTTP, on SQLite; resident memory one second later."
	return b.compare(ctx, tell{"start", text, t.Times}, []*column{
		{label: "new data directory", measure: func(ctx context.Context, binary string) (sample, error) { return b.start(ctx, binary, false) }},
		{label: "existing data directory", measure: func(ctx context.Context, binary string) (sample, error) { return b.start(ctx, binary, true) }},
	})
}

func (b *bench) start(ctx context.Context, binary string, existing bool) (_ sample, err error) {
	store, err := b.newStore(ctx, sqlite)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.close(ctx)) }()
	if existing {
		if _, err := startOnce(ctx, binary, store); err != nil {
			return nil, err
		}
	}
	return startOnce(ctx, binary, store)
}

func startOnce(ctx context.Context, binary string, store *store) (_ sample, err error) {
	started := time.Now()
	s, err := launch(ctx, binary, store)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	for !s.ready(ctx) {
		if time.Since(started) > 30*time.Second || ctx.Err() != nil {
			return nil, fmt.Errorf("the server at %s did not get ready", s.URL)
		}
		time.Sleep(500 * time.Microsecond)
	}
	took := time.Since(started)
	time.Sleep(time.Second)
	resident, err := s.process()[0].memory(residentNow)
	if err != nil {
		return nil, err
	}
	var found sample
	found.add("first_answer", "first answer after", duration, float64(took))
	found.add("memory", "server memory", memory, resident)
	return found, nil
}

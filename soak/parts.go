package main

import (
	"context"
	"os"

	"github.com/letterlock/letterlock/soak/internal/clockserver"
	"github.com/letterlock/letterlock/soak/internal/fickle"
)

type (
	serverPart struct{}
	diskPart   struct {
		Directory string `arg:"" type:"existingdir"`
	}
)

// Run serves until it is told to stop.
func (serverPart) Run(ctx context.Context) error { return clockserver.Run(ctx, os.Stdin) }

// Run is there until its input ends.
func (d diskPart) Run(ctx context.Context) error {
	return fickle.Serve(ctx, d.Directory, os.Stdin, os.Stdout)
}

package main

import (
	"context"
	"os"

	"github.com/letterlock/letterlock/soak/internal/clockserver"
)

type serverPart struct{}

// Run serves until it is told to stop.
func (serverPart) Run(ctx context.Context) error { return clockserver.Run(ctx, os.Stdin) }

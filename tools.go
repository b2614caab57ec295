//go:build tools

// Package tools pins the programs that `go generate` runs, so that every checkout generates the same code.
package tools

import (
	_ "entgo.io/ent/cmd/ent"
	_ "github.com/99designs/gqlgen"
	_ "github.com/Khan/genqlient"
)

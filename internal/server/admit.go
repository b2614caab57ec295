package server

import (
	"context"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/internal/caller"
)

// admit lets a new user in, if tx is committed: who may register, and not too many from one address on all nodes together. An invite
// that is wrong counts on this node alone: nobody guesses one.
func (s *Server) admit(ctx context.Context, tx *ent.Tx, invite string) error {
	if err := s.invites.Admit(ctx, tx, invite); err != nil {
		return err
	}
	return caller.From(ctx).Registered(ctx, tx)
}

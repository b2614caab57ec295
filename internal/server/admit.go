package server

import (
	"context"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/tally"
)

// admit lets a new user in, if tx is committed: who may register, and not too many from one address on all nodes together. An invite
// that is wrong counts on this node alone: nobody guesses one.
func (s *Server) admit(ctx context.Context, tx *ent.Tx, invite string) error {
	if err := s.invites.Admit(ctx, tx, invite); err != nil {
		return err
	}
	return caller.From(ctx).Registered(ctx, tx)
}

// claimLimits are how often prekeys may be claimed.
func claimLimits(l limits.Limits) *directory.ClaimLimits {
	return &directory.ClaimLimits{
		Caller: tally.Rate(l.ClaimsPerMinute, l.ClaimsAtOnce),
		Pair:   tally.Rate(l.ClaimsOfPairPerMinute, l.ClaimsOfPairAtOnce),
		Target: tally.Rate(l.ClaimsOfUserPerMinute, l.ClaimsOfUserAtOnce),
	}
}

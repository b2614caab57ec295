package server

import (
	"context"
	"time"
)

// sweepEvery is how often what is over is thrown away.
const sweepEvery = time.Minute

// sweep deletes expired link slots, invites and counts, and forgets callers who have not asked for a while and devices that were not asked
// for, until ctx ends.
func (s *Server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.rates.Sweep()
		s.directory.Sweep()
		if err := s.links.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.WarnContext(ctx, "could not delete expired link slots", "error", err)
		}
		if err := s.invites.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.WarnContext(ctx, "could not delete expired invites", "error", err)
		}
		if err := s.tally.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.WarnContext(ctx, "could not delete what was counted long ago", "error", err)
		}
	}
}

package server

import (
	"context"
	"time"
)

// sweepEvery is how often link slots whose ten minutes are over are deleted.
const sweepEvery = time.Minute

// sweepLinks deletes expired link slots until ctx ends.
func (s *Server) sweepLinks(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := s.links.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.WarnContext(ctx, "could not delete expired link slots", "error", err)
		}
	}
}

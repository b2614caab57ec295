package server

import (
	"context"
	"time"
)

// lookAgain ends the sockets of devices that another node has removed, until ctx ends (S6). Live subscriptions look for
// themselves; a socket may have none.
func (s *Server) lookAgain(ctx context.Context) {
	ticker := time.NewTicker(s.config.Limits.LookAgain)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		removed, err := s.directory.Removed(ctx, s.sockets.Devices())
		if err != nil && ctx.Err() == nil {
			s.config.Log.WarnContext(ctx, "could not look for removed devices", "error", err)
		}
		for _, device := range removed {
			s.sockets.EndDevice(device)
		}
	}
}

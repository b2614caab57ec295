package load

import (
	"context"
	"time"
)

// Steady makes a call of the sender each interval until ctx ends, and keeps how long after its time each was answered: one that has to
// wait for the call before it has waited. The call under way is finished.
func (s *Sender) Steady(ctx context.Context, every time.Duration) error {
	due := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if _, err := s.Send(); err != nil {
			return err
		}
		s.took = append(s.took, time.Since(due))
		due = due.Add(every)
		timer.Reset(time.Until(due))
	}
}

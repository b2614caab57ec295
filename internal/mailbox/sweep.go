package mailbox

import (
	"context"
	"time"
)

// sweepCount is how many expired messages one transaction deletes, so that it holds its locks for some milliseconds.
const sweepCount = 500

// tidy deletes what has expired and forgets message ids that are too old to be sent again.
func (s *Service) tidy(ctx context.Context) {
	if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "mailbox: cannot delete expired messages", "error", err)
	}
	if err := s.keepDays(ctx); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "mailbox: cannot forget old message ids", "error", err)
	}
}

// sweep deletes all messages that have expired, in bounded transactions (delivery contract 8). Nobody waits for it: an
// expired message is not delivered either way.
func (s *Service) sweep(ctx context.Context) error {
	for {
		n, err := s.sweepOnce(ctx)
		if err != nil || n < sweepCount {
			return err
		}
	}
}

func (s *Service) sweepOnce(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return s.store.sweep(ctx, s.now().UnixMicro(), sweepCount)
}

// keepDays makes room for the message ids of today and tomorrow, and forgets those that are no longer taken. Ids of other
// days make their room when they come.
func (s *Service) keepDays(ctx context.Context) error {
	today := s.now()
	return s.store.keepDays(ctx, dayOf(today)-int32(daysKept), dayOf(today), dayOf(today.Add(24*time.Hour)))
}

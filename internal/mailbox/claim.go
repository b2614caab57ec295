package mailbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// claim is open for a subscription: it counts it, and gives its number as the standing's reader. The store orders the subscriptions
// of a device so, on whatever nodes they are; a hint only says when to look (delivery contract 6).
//
// A number is never given back, so that no two have the same. Where a subscription gets no further, since its node stops or
// its device has gone, that is to an older one as if it had begun and ended.
func (s *Service) claim(ctx context.Context, device identity.DeviceID, after *Cursor) (standing, int64, error) {
	pause, since := newPause(), time.Now()
	for {
		found, start, err := s.open(ctx, device, after)
		if err != nil {
			return standing{}, 0, err
		}
		if err := s.readers.refuse(); err != nil {
			return standing{}, 0, err
		}
		number, err := s.count(ctx, found)
		switch {
		case err == nil:
			found.reader = number
			return found, start, nil
		case !errors.Is(err, errOvertaken), time.Since(since) > s.options.RetryFor, !sleep(ctx, pause.NextBackOff()):
			return standing{}, 0, readFailure(ctx, err)
		}
	}
}

// errOvertaken is the error of a count that has to look again.
var errOvertaken = fmt.Errorf("%w: another subscription has begun, or the mailbox is closed", errTransient)

// count counts a subscription that has found its mailbox so. One that nobody waits for any more is not counted.
func (s *Service) count(ctx context.Context, found standing) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	// A caller who goes in the middle would cost a connection.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
	defer cancel()
	number, ok, err := s.store.claim(bounded, found.id, found.reader)
	switch {
	case err != nil:
		return 0, err
	case !ok:
		return 0, errOvertaken
	}
	// Who has gone meanwhile may have been counted behind one that their client has begun since.
	return number, ctx.Err()
}

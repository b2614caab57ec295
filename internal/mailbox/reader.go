package mailbox

import (
	"context"

	"github.com/letterlock/letterlock/identity"
)

// Reader is a Feed that can be waited for. Of Next and Poll together there is one caller at a time.
type Reader struct {
	*Feed
	// changed has a token when there may be something to read.
	changed chan struct{}
}

// Subscribe opens a device's mailbox behind a position, or from the oldest message that was not acknowledged. It ends
// the device's other reader with SUPERSEDED: at once, or at the next look where another node's hint is lost. The caller closes the Reader.
//
// Errors: CURSOR_INVALID, DEVICE_REMOVED, SUPERSEDED, STORE_UNAVAILABLE, STOPPING, INTERNAL; ctx's own if it ends.
func (s *Service) Subscribe(ctx context.Context, device identity.DeviceID, after *Cursor) (*Reader, error) {
	r := &Reader{changed: make(chan struct{}, 1)}
	feed, err := s.Feed(ctx, device, after, r.ready)
	if err != nil {
		return nil, err
	}
	r.Feed = feed
	return r, nil
}

// Next waits for the next message.
//
// Errors: those of Poll. After ctx's own Next may be called again.
func (r *Reader) Next(ctx context.Context) (Message, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Message{}, err
		}
		m, ok, err := r.Poll(ctx)
		if ok || err != nil {
			return m, err
		}
		select {
		case <-r.changed:
		case <-ctx.Done():
		}
	}
}

// Close ends the subscription, and a Next that waits. Calling it again does nothing.
func (r *Reader) Close() {
	r.Feed.Close()
	r.ready()
}

func (r *Reader) ready() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

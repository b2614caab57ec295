package mailbox

import (
	"context"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

// reading is a subscription in a test, read in one of two ways.
type reading struct {
	*Feed
	way
}

type way interface {
	Next(ctx context.Context) (Message, error)
	Close()
}

// Close is the way's own.
func (r *reading) Close() { r.way.Close() }

// tryToSubscribe opens a subscription that is read in the world's way.
func (w *world) tryToSubscribe(device identity.DeviceID, after *Cursor) (*reading, error) {
	if w.polls {
		p := &polled{told: make(chan struct{}, 1)}
		feed, err := w.Feed(w.ctx, device, after, p.ready)
		if err != nil {
			return nil, err
		}
		p.Feed = feed
		return &reading{feed, p}, nil
	}
	r, err := w.Subscribe(w.ctx, device, after)
	if err != nil {
		return nil, err
	}
	return &reading{r.Feed, r}, nil
}

// polled does what a transport does: it polls when it was told to, and then until there is nothing.
type polled struct {
	*Feed
	told     chan struct{}
	draining bool
}

func (p *polled) ready() {
	select {
	case p.told <- struct{}{}:
	default:
	}
}

// Next gives the next message.
func (p *polled) Next(ctx context.Context) (Message, error) {
	for {
		if !p.draining {
			select {
			case <-p.told:
			case <-ctx.Done():
				return Message{}, ctx.Err()
			}
		}
		m, ok, err := p.Poll(ctx)
		p.draining = ok || err != nil
		if p.draining {
			return m, err
		}
	}
}

// bothWays runs a test over both ways to read, each over both databases.
func bothWays(t *testing.T, test func(t *testing.T, w *world), change ...func(*Options)) {
	t.Helper()
	t.Parallel()
	eachWay(t, func(t *testing.T, polls bool) {
		testdb.Each(t, func(t *testing.T, db *database.DB) {
			w := newWorld(t, db, change...)
			w.polls = polls
			test(t, w)
		})
	})
}

func eachWay(t *testing.T, test func(t *testing.T, polls bool)) {
	t.Helper()
	t.Run("Next", func(t *testing.T) { test(t, false) })
	t.Run("Poll", func(t *testing.T) { test(t, true) })
}

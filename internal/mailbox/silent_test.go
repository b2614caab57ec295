package mailbox

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
)

// silent is a store from which no answer comes, as from a machine that has lost its power: TCP waits for many minutes.
type silent struct {
	store
	speaks bool // where mailboxes stand
}

func (s silent) keepDays(context.Context, int32, int32, int32) error { return nil }
func (s silent) close()                                              {}

func (s silent) standing(ctx context.Context, _ identity.DeviceID) (standing, bool, error) {
	if s.speaks {
		return standing{}, true, nil
	}
	<-ctx.Done()
	return standing{}, false, fmt.Errorf("%w: %w", errTransient, ctx.Err())
}

func (s silent) page(ctx context.Context, _ pageRequest) (standing, []Message, bool, error) {
	<-ctx.Done()
	return standing{}, nil, false, fmt.Errorf("%w: %w", errTransient, ctx.Err())
}

// Who reads is told that the store does not answer, also who waits without an end: a socket does. What few may do at once, such as to
// subscribe, others can go on with.
func TestReadersOfASilentStoreAreTold(t *testing.T) {
	var device identity.DeviceID
	for name, c := range map[string]struct {
		speaks bool
		read   func(ctx context.Context, s *Service) error
	}{
		"subscribe": {false, func(ctx context.Context, s *Service) error {
			_, err := s.Subscribe(ctx, device, nil)
			return err
		}},
		"status": {false, func(ctx context.Context, s *Service) error {
			_, err := s.Status(ctx, device)
			return err
		}},
		"look for a page": {false, func(ctx context.Context, s *Service) error {
			_, err := s.Page(ctx, device, nil, 1)
			return err
		}},
		"page": {true, func(ctx context.Context, s *Service) error {
			_, err := s.Page(ctx, device, nil, 1)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := start(t.Context(), database.PostgreSQL, silent{speaks: c.speaks}, Options{
					Logger: slog.New(slog.DiscardHandler), LookAgain: 24 * time.Hour, SweepEvery: 24 * time.Hour,
				})
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = s.Close(context.Background()) }()
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := c.read(ctx, s); problem.CodeOf(err) != problem.StoreUnavailable {
					t.Errorf("it gives %v", err)
				}
			})
		})
	}
}

package failure

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"golang.org/x/time/rate"

	"github.com/letterlock/letterlock/internal/problem"
)

const (
	// complaints is how many failed requests are warned of a second, and atOnce how many when there were none before. While a store is
	// away every request fails, for the same reason.
	complaints = 2
	atOnce     = 20
)

// complaint tells the operator of failed requests.
type complaint struct {
	log *slog.Logger
	few *rate.Limiter
	// untold counts those that were left out since the last line.
	untold atomic.Int64
}

func newComplaint(log *slog.Logger) *complaint {
	return &complaint{log: log, few: rate.NewLimiter(complaints, atOnce)}
}

// of logs why a request failed.
func (c *complaint) of(ctx context.Context, e *problem.Error) {
	level := levelOf(e)
	if !c.log.Enabled(ctx, level) {
		return
	}
	attributes := []any{"code", e.Code, "cause", e.Cause}
	if level >= slog.LevelWarn {
		if !c.few.Allow() {
			c.untold.Add(1)
			return
		}
		if n := c.untold.Swap(0); n > 0 {
			attributes = append(attributes, "untold", n)
		}
	}
	c.log.Log(ctx, level, "request failed", attributes...)
}

// levelOf keeps what any caller can bring about out of an ordinary log: also one who does not wait for the answer.
func levelOf(e *problem.Error) slog.Level {
	if errors.Is(e.Cause, context.Canceled) {
		return slog.LevelDebug
	}
	switch e.Code {
	case problem.StoreUnavailable, problem.OutcomeUnknown, problem.Overloaded:
		return slog.LevelWarn
	default:
		return slog.LevelDebug
	}
}

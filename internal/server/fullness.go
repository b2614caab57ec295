package server

import (
	"context"
	"sync"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/telemetry"
)

const (
	// fullnessEvery is how often the store is asked how full it is at the most, however often somebody asks for the metrics.
	fullnessEvery = time.Minute
	// fullnessTimeout bounds how long they wait for it.
	fullnessTimeout = 2 * time.Second
)

// fullness remembers how full the store is.
type fullness struct {
	look func(context.Context) (database.Fullness, error)

	mu    sync.Mutex
	at    time.Time
	last  database.Fullness
	known bool
}

// read gives what is known, which is at most fullnessEvery old; nothing if the last look failed.
func (f *fullness) read() (telemetry.Fullness, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at.IsZero() || time.Since(f.at) >= fullnessEvery {
		ctx, cancel := context.WithTimeout(context.Background(), fullnessTimeout)
		defer cancel()
		now, err := f.look(ctx)
		f.at, f.last, f.known = time.Now(), now, err == nil
	}
	return telemetry.Fullness(f.last), f.known
}

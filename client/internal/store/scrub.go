package store

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// scrubAfter is how long older versions of records may stay in the write-ahead log. Emptying it costs as much as a commit:
// a burst of steps shares it.
const scrubAfter = time.Second

// scrubber empties the write-ahead log a while after it was written to.
type scrubber struct {
	db      *sql.DB
	mutex   sync.Mutex
	timer   *time.Timer // nil while nothing is due
	stopped bool
	running sync.WaitGroup
}

func newScrubber(db *sql.DB) *scrubber { return &scrubber{db: db} }

// soon makes sure that the log is emptied within scrubAfter.
func (s *scrubber) soon() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.timer != nil || s.stopped {
		return
	}
	s.running.Add(1)
	s.timer = time.AfterFunc(scrubAfter, s.run)
}

// run empties the log. While another process reads it tries again, in a while.
func (s *scrubber) run() {
	defer s.running.Done()
	s.mutex.Lock()
	s.timer = nil
	s.mutex.Unlock()
	if !s.now() {
		s.soon()
	}
}

func (s *scrubber) now() bool {
	ctx, cancel := context.WithTimeout(context.Background(), busyTimeout)
	defer cancel()
	var busy, frames, done int
	err := s.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &done)
	return err == nil && busy == 0
}

// stop empties the log a last time and waits for what is under way.
func (s *scrubber) stop() {
	s.mutex.Lock()
	due := s.timer != nil
	if due && s.timer.Stop() {
		s.running.Done()
	}
	s.timer, s.stopped = nil, true
	s.mutex.Unlock()
	s.running.Wait()
	if due {
		s.now()
	}
}

// Package ratelimit counts how often each of many may do something, and forgets those who have not for a while.
package ratelimit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/letterlock/letterlock/internal/slim"
)

const (
	// maxKnown bounds how many are remembered. Beyond it those who were seen longest ago are forgotten, and start anew.
	maxKnown = 1 << 16
	// leastWait is the shortest wait that a caller is told.
	leastWait = 100 * time.Millisecond
)

// Table allows each key so many a minute, and as many at once after a minute of silence. A nil Table allows everything.
type Table[K comparable] struct {
	rate  rate.Limit
	burst int

	mu    sync.Mutex
	known *slim.LRU[K, *rate.Limiter]
}

// New makes a Table; nil, which allows everything, for 0 a minute.
func New[K comparable](perMinute int) *Table[K] {
	if perMinute <= 0 {
		return nil
	}
	return newTable[K](rate.Limit(float64(perMinute)/time.Minute.Seconds()), perMinute, maxKnown)
}

// Every makes a Table that allows one in so long, and so many at once, and remembers so many keys; nil, which allows everything, if there
// need be no time between two.
func Every[K comparable](interval time.Duration, burst, known int) *Table[K] {
	if interval <= 0 {
		return nil
	}
	return newTable[K](rate.Every(interval), burst, known)
}

func newTable[K comparable](limit rate.Limit, burst, known int) *Table[K] {
	return &Table[K]{rate: limit, burst: burst, known: slim.NewLRU[K, *rate.Limiter](known)}
}

// Take counts one. If that is too many, nothing is counted, and wait is how long until the next is allowed.
func (t *Table[K]) Take(key K, now time.Time) (wait time.Duration) {
	if t == nil {
		return 0
	}
	if l := t.limiter(key); !l.AllowN(now, 1) {
		return t.until(l, now)
	}
	return 0
}

// Exhausted is what Take would give, and counts nothing.
func (t *Table[K]) Exhausted(key K, now time.Time) (wait time.Duration) {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	l, ok := t.known.Peek(key)
	t.mu.Unlock()
	if !ok || l.TokensAt(now) >= 1 {
		return 0
	}
	return t.until(l, now)
}

// Sweep forgets those for whom it makes no difference.
func (t *Table[K]) Sweep(now time.Time) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// Those seen later have had less time yet.
	t.known.Sweep(func(l *rate.Limiter) bool { return l.TokensAt(now) >= float64(t.burst) })
}

// Known gives how many are remembered.
func (t *Table[K]) Known() int {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known.Len()
}

func (t *Table[K]) limiter(key K) *rate.Limiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.known.Get(key)
	if !ok {
		l = rate.NewLimiter(t.rate, t.burst)
		t.known.Add(key, l)
	}
	return l
}

func (t *Table[K]) until(l *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - l.TokensAt(now)
	return max(leastWait, time.Duration(missing/float64(t.rate)*float64(time.Second)).Round(time.Millisecond))
}

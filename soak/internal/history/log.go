package history

import (
	"encoding/json"
	"io"
	"sync"
)

// Log takes events as they happen, from many goroutines, writes them down and checks them.
type Log struct {
	mu      sync.Mutex
	checker *Checker
	lines   *json.Encoder // nil if nothing is written down
	err     error
}

// NewLog makes a Log. file may be nil.
func NewLog(file io.Writer) *Log {
	l := &Log{checker: New()}
	if file != nil {
		l.lines = json.NewEncoder(file)
	}
	return l
}

// Add takes an event.
func (l *Log) Add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checker.Add(e)
	if l.lines != nil && l.err == nil {
		l.err = l.lines.Encode(e)
	}
}

// Look calls f with the checker as it stands. What f is given is only good until it returns.
func (l *Log) Look(f func(*Checker)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l.checker)
}

// Close ends the history and gives its checker, and whether all of it was written down.
func (l *Log) Close() (*Checker, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checker.Finish()
	return l.checker, l.err
}

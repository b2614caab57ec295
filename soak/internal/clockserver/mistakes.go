package clockserver

import (
	"log/slog"
	"time"
)

// The mistakes.
const (
	// Leak keeps memory that nobody needs.
	Leak = "leak"
	// Spin has a timer that is always due.
	Spin = "spin"
	// Babble logs who it was.
	Babble = "babble"
)

// leaked is how much a leak takes.
const leaked = 64 << 20

// mistakes are made on demand, to be found.
type mistakes struct {
	log  *slog.Logger
	kept [][]byte
}

// make makes a mistake, if it is the name of one.
func (m *mistakes) make(name string) bool {
	switch name {
	case Leak:
		lost := make([]byte, leaked)
		for i := range lost { // of what is not touched the system gives nothing
			lost[i] = 1
		}
		m.kept = append(m.kept, lost)
	case Spin:
		go func() {
			for timer := time.NewTimer(0); ; timer.Reset(0) {
				<-timer.C
			}
		}()
	case Babble:
		m.log.Warn("a device asks too often", "device", "daaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	default:
		return false
	}
	return true
}

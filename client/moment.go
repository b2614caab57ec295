package client

import "time"

// moment is when something was, by the clock that people see and by the one that only runs. They part when the clock is set, and
// while a computer sleeps.
type moment struct{ shown, real time.Time }

func momentAt(now time.Time) moment { return moment{now.Round(0), time.Now()} }

// age is how long ago it was at the most.
func (m moment) age(now time.Time) time.Duration {
	return max(now.Round(0).Sub(m.shown).Abs(), time.Since(m.real))
}

// moved reports whether the clock that people see was set since.
func (m moment) moved(now time.Time) bool {
	return (now.Round(0).Sub(m.shown) - time.Since(m.real)).Abs() >= minSkew
}

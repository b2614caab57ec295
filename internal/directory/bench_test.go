package directory_test

import (
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/testdb"
)

// BenchmarkAuthenticate is what a request costs with a token that was seen before, and with one that was not.
func BenchmarkAuthenticate(b *testing.B) {
	clock, alice := newClock(), newPerson(b)
	db := testdb.Open(b, database.SQLite)
	newNode(b, db, clock).register(alice)
	token := alice.token(alice.first)
	run := func(b *testing.B, authenticate func() error) {
		b.ReportAllocs()
		for b.Loop() {
			if err := authenticate(); err != nil {
				b.Fatal(err)
			}
		}
	}
	options := directory.Options{Now: clock.Now, LookAgain: time.Hour, CacheSize: 2}
	b.Run("known", func(b *testing.B) {
		d := directory.New(db, nil, options)
		run(b, func() error {
			_, _, err := d.Authenticate(b.Context(), token, origins)
			return err
		})
	})
	b.Run("new", func(b *testing.B) {
		d := directory.New(db, nil, options)
		others := [3]string{} // one more than are remembered
		for i := range others {
			clock.advance(time.Second)
			others[i] = alice.tokenAt(alice.first, clock.Now())
		}
		next := 0
		run(b, func() error {
			next = (next + 1) % len(others)
			_, _, err := d.Authenticate(b.Context(), others[next], origins)
			return err
		})
	})
}

package directory_test

import (
	"context"
	"testing"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/tally"
	"github.com/letterlock/letterlock/internal/testdb"
)

// BenchmarkClaimPrekeys is what a claim costs that spends one-time keys, with what is counted for all nodes.
func BenchmarkClaimPrekeys(b *testing.B) {
	eachDatabase(b, func(b *testing.B, db *database.DB) {
		clock, alice, bob := newClock(), newPerson(b), newPerson(b)
		n := &node{directory.New(db, &boxes{}, directory.Options{MaxOneTimePrekeys: 1000, LookAgain: 24 * time.Hour, Now: clock.Now}), b, nil, clock}
		n.register(alice)
		n.register(bob)
		caller, uploader := n.caller(alice, alice.first), n.caller(bob, bob.first)
		left, number := 0, uint32(1)
		for b.Loop() {
			if left == 0 {
				b.StopTimer()
				if _, err := n.UploadPrekeys(b.Context(), uploader, bob.upload(bob.first, number, number, number+199)); err != nil {
					b.Fatal(err)
				}
				left, number = 200, number+200
				b.StartTimer()
			}
			left--
			clock.advance(10 * time.Second)
			claim, err := n.ClaimPrekeys(b.Context(), caller, bob.id(), nil)
			if err != nil || claim.Sets[0].OneTime == nil {
				b.Fatalf("%+v, %v", claim, err)
			}
		}
	})
}

// BenchmarkRegister is what a registration costs that is counted for all nodes.
func BenchmarkRegister(b *testing.B) {
	eachDatabase(b, func(b *testing.B, db *database.DB) {
		clock := newClock()
		counts := tally.New(db, clock.Now)
		admit := func(ctx context.Context, tx *ent.Tx, _ string) error {
			wait, err := counts.Take(ctx, tx, tally.Registrations, tally.PerMinute(60), []byte{198, 51, 100, 1})
			if wait > 0 {
				b.Error("limited")
			}
			return err
		}
		d := directory.New(db, &boxes{}, directory.Options{Now: clock.Now, Admit: admit})
		for b.Loop() {
			b.StopTimer()
			p := newPerson(b)
			userKey, list, token := p.userKey(), p.head.Statement(), p.tokenAt(p.first, clock.Now())
			b.StartTimer()
			if _, _, err := d.Register(b.Context(), userKey, list, token, "", origins); err != nil {
				b.Fatal(err)
			}
			clock.advance(time.Second)
		}
	})
}

func eachDatabase(b *testing.B, run func(b *testing.B, db *database.DB)) {
	for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
		b.Run(string(dialect), func(b *testing.B) { run(b, testdb.Open(b, dialect)) })
	}
}

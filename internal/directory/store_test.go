package directory_test

import (
	"context"
	"errors"
	"testing"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

// What makes a COMMIT fail after every statement before it went through.
var failAtCommit = map[database.Dialect][]string{
	database.SQLite: {
		"PRAGMA defer_foreign_keys = on",
		"INSERT INTO devices (id, signing_key, created_at, user_id) VALUES ('dnobody', x'00', 0, 'unobody')",
	},
	database.PostgreSQL: {
		"CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
		"CREATE TABLE doomed (id int)",
		"CREATE CONSTRAINT TRIGGER die AFTER INSERT ON doomed DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()",
		"INSERT INTO doomed VALUES (1)",
	},
}

func TestCommitOfUnknownOutcomeIsSafeToRepeat(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice := newNode(t, db, newClock()), newPerson(t)
		fail := func(ctx context.Context, tx *ent.Tx) error {
			for _, statement := range failAtCommit[db.Dialect] {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return err
				}
			}
			return nil
		}
		n.boxes.onMove = fail
		_, _, err := n.Register(t.Context(), alice.userKey(), alice.head.Statement(), alice.token(alice.first), "", origins)
		wantUnknown(t, err)
		n.boxes.onMove = nil
		n.register(alice)

		second := newKey()
		n.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first, second))
		n.boxes.onMove = fail
		removal := alice.sign(alice.first, alice.first)
		_, err = n.publish(alice, alice.first, removal)
		wantUnknown(t, err)
		if len(n.boxes.closed) > 0 {
			t.Error("readers were told that they are removed, and nobody knows")
		}
		n.boxes.onMove = nil
		n.mustPublish(alice, alice.first, removal)
		_, _, err = n.Authenticate(t.Context(), alice.token(second), origins)
		wantCode(t, err, problem.DeviceRemoved)
	})
}

func wantUnknown(t *testing.T, err error) {
	t.Helper()
	wantCode(t, err, problem.OutcomeUnknown)
	var unknown *problem.Error
	if errors.As(err, &unknown) && (unknown.Stored != problem.Unknown || unknown.RetryAfter <= 0) {
		t.Errorf("stored %s, retry after %s", unknown.Stored, unknown.RetryAfter)
	}
}

func TestChangeGoesOnWhenItsCallerGoesAway(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice := newNode(t, db, newClock()), newPerson(t)
		ctx, leave := context.WithCancel(t.Context())
		n.boxes.onMove = func(context.Context, *ent.Tx) error {
			leave()
			return nil
		}
		if _, _, err := n.Register(ctx, alice.userKey(), alice.head.Statement(), alice.token(alice.first), "", origins); err != nil {
			t.Fatal(err)
		}
		if user, err := n.User(t.Context(), alice.id(), 0); err != nil || user == nil {
			t.Errorf("user %+v, %v", user, err)
		}
	})
}

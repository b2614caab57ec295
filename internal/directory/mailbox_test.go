package directory_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/letterlock/letterlock/ent/mailbox"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/directory"
	service "github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

func TestListsMoveTheMailboxesOfTheirUser(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		mailboxes, err := service.New(t.Context(), db, service.Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := mailboxes.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
		clock, alice := newClock(), newPerson(t)
		n := &node{directory.New(db, mailboxes, directory.Options{Now: clock.Now}), t, nil, clock}
		n.register(alice)
		second := newKey()
		n.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first, second))
		reader, err := mailboxes.Subscribe(t.Context(), second.device(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		n.mustPublish(alice, alice.first, alice.sign(alice.first, alice.first))

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err = reader.Next(ctx)
		wantCode(t, err, problem.DeviceRemoved)
		for _, want := range []struct {
			key
			open bool
		}{{alice.first, true}, {second, false}} {
			row := db.Ent.Mailbox.Query().Where(mailbox.DeviceID(want.device().String())).OnlyX(t.Context())
			if row.ListVersion != 3 || row.Closed == want.open {
				t.Errorf("mailbox: version %d, closed %v; want version 3, open %v", row.ListVersion, row.Closed, want.open)
			}
		}
	})
}

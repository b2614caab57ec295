package database

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestWriteTurnsAreFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &DB{turn: make(chan struct{}, 1)}
		end := takeTurn(t, db)
		var order []string
		go func() {
			end := takeTurn(t, db)
			order = append(order, "waited")
			end()
		}()
		synctest.Wait() // the other waits
		end()
		end() // once too often changes nothing
		end = takeTurn(t, db)
		order = append(order, "came again")
		end()
		synctest.Wait()
		if len(order) != 2 || order[0] != "waited" {
			t.Errorf("order: %v", order)
		}
	})
}

func TestWaitForAWriteTurnEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &DB{turn: make(chan struct{}, 1)}
		end := takeTurn(t, db)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := db.WriteTurn(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		end()
		takeTurn(t, db)()
	})
}

func TestPostgreSQLHasNoWriteTurns(t *testing.T) {
	db := &DB{}
	takeTurn(t, db)
	takeTurn(t, db)
}

func takeTurn(t *testing.T, db *DB) (end func()) {
	t.Helper()
	end, err := db.WriteTurn(t.Context())
	if err != nil {
		t.Error(err)
		return func() {}
	}
	return end
}

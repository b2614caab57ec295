package server_test

import (
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// The metrics say how full the store is: how many messages wait, what they take, how large the database is, and what its disk has left.
func TestMetricsSayHowFullTheStoreIs(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db, MetricsAddr: "127.0.0.1:0"})
		alice, bob := s.Register(t).Devices[0], s.Register(t).Devices[0]
		for range 3 {
			s.Send(t, "hello", alice, bob).Into(t, &struct{}{})
		}
		if db.Dialect == database.PostgreSQL { // it would count them by itself, in a while
			if _, err := db.SQL.ExecContext(t.Context(), `ANALYZE messages`); err != nil {
				t.Fatal(err)
			}
		}
		seen := scrape(t, s)
		if n := seen.value(t, "letterlock_store_messages_waiting"); n != 3 {
			t.Errorf("%v messages wait", n)
		}
		bytes, all := seen.value(t, "letterlock_store_messages_waiting_bytes"), seen.value(t, "letterlock_store_bytes")
		if bytes < 3*16 || bytes > all || all < 64<<10 {
			t.Errorf("%v of %v bytes are of messages", bytes, all)
		}
		free := seen.families["letterlock_store_disk_free_bytes"].GetMetric()
		if embedded := db.Dialect == database.SQLite; embedded != (len(free) == 1 && free[0].GetGauge().GetValue() > 0) {
			t.Errorf("the disk has left: %v", free)
		}
	})
}

// Metrics that are asked for often ask the store once a minute.
func TestFullnessIsLookedForNowAndThen(t *testing.T) {
	db := testdb.Open(t, database.SQLite)
	s := testserver.Start(t, testserver.Options{DB: db, MetricsAddr: "127.0.0.1:0"})
	alice, bob := s.Register(t).Devices[0], s.Register(t).Devices[0]
	if n := scrape(t, s).value(t, "letterlock_store_messages_waiting"); n != 0 {
		t.Errorf("%v messages wait", n)
	}
	s.Send(t, "hello", alice, bob).Into(t, &struct{}{})
	if n := scrape(t, s).value(t, "letterlock_store_messages_waiting"); n != 0 {
		t.Errorf("the store was asked again at once: %v messages wait", n)
	}
}

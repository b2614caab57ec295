package ratelimit_test

import (
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/ratelimit"
)

func TestTableTellsWhenTheNextIsAllowed(t *testing.T) {
	table := ratelimit.New[string](60)
	now := time.Unix(1_700_000_000, 0)
	for i := range 60 {
		if wait := table.Take("a", now); wait != 0 {
			t.Fatalf("number %d has to wait %v", i, wait)
		}
	}
	if wait := table.Exhausted("a", now); wait != time.Second {
		t.Errorf("exhausted: wait %v", wait)
	}
	wait := table.Take("a", now)
	if wait != time.Second || table.Take("b", now) != 0 {
		t.Errorf("wait %v; others wait as well", wait)
	}
	if now = now.Add(wait); table.Exhausted("a", now) != 0 || table.Take("a", now) != 0 || table.Take("a", now) == 0 {
		t.Error("one after the wait, and no more")
	}
}

func TestTableForgets(t *testing.T) {
	table := ratelimit.New[int](60)
	now := time.Unix(1_700_000_000, 0)
	for key := range 70_000 {
		table.Take(key, now)
	}
	if known := table.Known(); known != 1<<16 {
		t.Errorf("%d are remembered", known)
	}
	table.Sweep(now)
	if known := table.Known(); known != 1<<16 {
		t.Errorf("%d are remembered after a sweep at once", known)
	}
	table.Sweep(now.Add(time.Minute))
	if known := table.Known(); known != 0 {
		t.Errorf("%d are remembered after a minute", known)
	}
}

func TestNoLimit(t *testing.T) {
	table := ratelimit.New[int](0)
	table.Sweep(time.Now())
	if table.Take(1, time.Now()) != 0 || table.Exhausted(1, time.Now()) != 0 || table.Known() != 0 {
		t.Error("0 a minute is to be no limit")
	}
}

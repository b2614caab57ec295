package store

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/letterlock/letterlock/device"
)

// Whenever callers give up, the store goes on for others: nothing stays begun.
func TestWhoGivesUpLeavesNothingBegun(t *testing.T) {
	s, _ := create(t)
	nothing := func(device.Records) ([]device.Write, error) { return nil, nil }
	for range 2000 {
		ctx, giveUp := context.WithCancel(t.Context())
		time.AfterFunc(rand.N(100*time.Microsecond), giveUp)
		_ = s.Update(ctx, nothing) // whether it was in time is chance
		giveUp()
		if err := s.View(t.Context(), func(device.Records) error { return nil }); err != nil {
			t.Fatalf("after somebody gave up: %v", err)
		}
	}
}

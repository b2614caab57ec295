package rig

import (
	"context"
	"testing"
	"time"
)

// A server of NATS that is parted from the others gives its routes up, although no connection was closed, and finds the others again
// afterwards by the same ways.
func TestNATSThatIsPartedComesTogetherAgain(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	c, err := NewNATS(ctx, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	part := func(on bool) {
		for _, p := range c.Routes(0) {
			p.Part(on)
		}
	}
	part(true)
	for c.servers[0].inner.NumRoutes() > 0 {
		if !pause(ctx, 10*time.Millisecond) {
			t.Fatal("it has not noticed")
		}
	}
	if n := c.servers[1].inner.NumRoutes(); n == 0 {
		t.Error("the others have lost each other as well")
	}
	part(false)
	if err := c.awaitRoutes(ctx); err != nil {
		t.Error(err)
	}
}

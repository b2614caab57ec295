package guard

import (
	"context"
	"testing"
)

func TestIdleWaitsForWhatHasBegun(t *testing.T) {
	g := New(Options{Stopped: make(chan struct{})})
	if !g.Begin() {
		t.Fatal("nothing may begin")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if g.Idle(over) {
		t.Error("idle, and something runs")
	}
	idle := make(chan bool)
	go func() { idle <- g.Idle(t.Context()) }()
	g.End()
	if !<-idle {
		t.Error("not idle, and nothing runs")
	}
}

func TestNothingBeginsWhileStopping(t *testing.T) {
	stopped := make(chan struct{})
	close(stopped)
	g := New(Options{Stopped: stopped})
	if g.Begin() {
		t.Error("it begins")
	}
	if !g.Idle(t.Context()) {
		t.Error("what never began is waited for")
	}
}

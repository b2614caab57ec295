package socket

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// arrivals are visitors of a gate who note in which order they were let in.
type arrivals struct {
	gate    *gate
	mu      sync.Mutex
	entered []string
	turned  []string
}

func (a *arrivals) come(ctx context.Context, name string, at stage) {
	go func() {
		ok := a.gate.enter(ctx, at)
		a.mu.Lock()
		defer a.mu.Unlock()
		if ok {
			a.entered = append(a.entered, name)
		} else {
			a.turned = append(a.turned, name)
		}
	}()
	synctest.Wait()
}

func (a *arrivals) want(t *testing.T, entered, turned []string) {
	t.Helper()
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.entered, entered) || !slices.Equal(a.turned, turned) {
		t.Errorf("entered %v, turned away %v; want %v, %v", a.entered, a.turned, entered, turned)
	}
}

// Who has got far goes first; of those who are as far, who came first.
func TestGateLetsThoseInWhoHaveGotFar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &arrivals{gate: newGate(1, nil)}
		a.come(t.Context(), "first", greeting)
		a.come(t.Context(), "greeting 1", greeting)
		a.come(t.Context(), "greeting 2", greeting)
		a.come(t.Context(), "token", initialising)
		a.come(t.Context(), "subscription", subscribing)
		a.want(t, []string{"first"}, nil)
		for range 4 {
			a.gate.leave()
			synctest.Wait()
		}
		a.want(t, []string{"first", "subscription", "token", "greeting 1", "greeting 2"}, nil)
		a.gate.leave()
		a.come(t.Context(), "late", greeting)
		a.want(t, []string{"first", "subscription", "token", "greeting 1", "greeting 2", "late"}, nil)
	})
}

// Nobody waits for longer than clients do, and nobody begins to wait who would wait in vain.
func TestGateSendsAwayWhoWouldWaitForTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &arrivals{gate: newGate(1, nil)}
		a.come(t.Context(), "first", greeting)
		a.come(t.Context(), "waits", greeting)
		time.Sleep(longestQueue/2 + time.Second)
		a.come(t.Context(), "late", greeting)
		a.come(t.Context(), "token", initialising)
		a.want(t, []string{"first"}, []string{"late"})
		time.Sleep(longestQueue / 2)
		a.want(t, []string{"first"}, []string{"late", "waits"})
		a.gate.leave()
		a.want(t, []string{"first", "token"}, []string{"late", "waits"})
	})
}

// Who hangs up keeps no place, and a gate that is closed sends all away.
func TestGateForgetsWhoHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &arrivals{gate: newGate(1, nil)}
		ctx, hangUp := context.WithCancel(t.Context())
		a.come(t.Context(), "first", greeting)
		a.come(ctx, "gone", greeting)
		hangUp()
		a.want(t, []string{"first"}, []string{"gone"})
		if n := a.gate.queues[greeting].Len(); n != 0 {
			t.Errorf("%d wait", n)
		}
		a.come(t.Context(), "stays", greeting)
		a.gate.close()
		synctest.Wait()
		a.come(t.Context(), "comes", subscribing)
		a.want(t, []string{"first"}, []string{"gone", "stays", "comes"})
		a.gate.leave() // what has begun may end
	})
}

// A handshake is not answered while many clients have yet to say who they are, but not for longer than most of them take.
func TestGateGreetsFewAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &arrivals{gate: newGate(1, nil)}
		greet := func() *list.Element {
			if !a.gate.enter(t.Context(), greeting) {
				t.Fatal("it is sent away")
			}
			defer a.gate.leave()
			return a.gate.expect()
		}
		var first *list.Element
		for range halfOpen {
			if place := greet(); first == nil {
				first = place
			}
		}
		a.come(t.Context(), "one", greeting)
		a.come(t.Context(), "two", greeting)
		a.want(t, nil, nil)
		a.come(t.Context(), "token", initialising) // which others do not hold up
		a.gate.leave()
		a.gate.arrived(first)
		a.want(t, []string{"token", "one"}, nil)
		a.gate.expect()
		a.gate.leave()
		a.want(t, []string{"token", "one"}, nil)
		time.Sleep(answerTime)
		a.want(t, []string{"token", "one", "two"}, nil)
	})
}

// A crowd is told of once a minute, and how the gate stands can be asked.
func TestGateTellsOfACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []int
		a := &arrivals{gate: newGate(2, func(waiting int) { told = append(told, waiting) })}
		for _, name := range []string{"one", "two", "three", "four", "five"} {
			a.come(t.Context(), name, greeting)
		}
		if want := (Opening{Working: 2, Waiting: 3}); !slices.Equal(told, []int{2}) || a.gate.opening() != want {
			t.Errorf("told of %v, and it stands at %+v; want 2 and %+v", told, a.gate.opening(), want)
		}
		time.Sleep(longestQueue)
		synctest.Wait()
		if _ = a.gate.refusal(); a.gate.opening() != (Opening{Working: 2, SentAway: 1}) {
			t.Errorf("it stands at %+v", a.gate.opening())
		}
		time.Sleep(crowdedEvery)
		for _, name := range []string{"six", "seven"} {
			a.come(t.Context(), name, initialising)
		}
		if !slices.Equal(told, []int{2, 2}) {
			t.Errorf("told of %v", told)
		}
		time.Sleep(longestQueue)
		synctest.Wait()
	})
}

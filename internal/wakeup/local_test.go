package wakeup_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/wakeup"
)

var (
	alice = identity.DeviceID{1}
	bob   = identity.DeviceID{2}
)

// record gives a listener and what it has heard so far.
func record() (func(wakeup.Hint[int]), func() []int) {
	var mu sync.Mutex
	var heard []int
	listener := func(hint wakeup.Hint[int]) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, *hint.Message)
	}
	return listener, func() []int {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(heard)
	}
}

func grown(device identity.DeviceID, n int) wakeup.Hint[int] {
	return wakeup.Hint[int]{Device: device, Event: wakeup.Grown, Message: &n}
}

func TestHintsReachEveryListenerOfTheirDeviceAlone(t *testing.T) {
	hub := wakeup.NewLocal[int]()
	first, heardFirst := record()
	second, heardSecond := record()
	other, heardOther := record()
	defer hub.Listen(alice, first)()
	defer hub.Listen(alice, second)()
	defer hub.Listen(bob, other)()

	hub.Notify(grown(alice, 1), grown(bob, 2), grown(alice, 3))
	hub.Notify()

	for name, got := range map[string][]int{"first": heardFirst(), "second": heardSecond()} {
		if want := []int{1, 3}; !slices.Equal(got, want) {
			t.Errorf("the %s listener of alice heard %v, want %v", name, got, want)
		}
	}
	if want := []int{2}; !slices.Equal(heardOther(), want) {
		t.Errorf("the listener of bob heard %v, want %v", heardOther(), want)
	}
}

func TestAListenerThatStoppedHearsNothing(t *testing.T) {
	hub := wakeup.NewLocal[int]()
	gone, heardGone := record()
	left, heardLeft := record()
	stop := hub.Listen(alice, gone)
	defer hub.Listen(alice, left)()
	hub.Notify(grown(alice, 1))
	stop()
	stop()
	hub.Notify(grown(alice, 2))

	if want := []int{1}; !slices.Equal(heardGone(), want) {
		t.Errorf("the stopped listener heard %v, want %v", heardGone(), want)
	}
	if want := []int{1, 2}; !slices.Equal(heardLeft(), want) {
		t.Errorf("the other listener heard %v, want %v", heardLeft(), want)
	}
}

func TestListenersComeAndGoWhileHintsPass(t *testing.T) {
	hub := wakeup.NewLocal[int]()
	steady, heard := record()
	defer hub.Listen(alice, steady)()
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 200 {
				hub.Listen(alice, func(wakeup.Hint[int]) {})()
			}
		})
	}
	for n := range 1000 {
		hub.Notify(grown(alice, n))
	}
	workers.Wait()
	if got := heard(); len(got) != 1000 || !slices.IsSorted(got) {
		t.Errorf("the steady listener heard %d hints, sorted %v; want 1000 in order", len(got), slices.IsSorted(got))
	}
}

package wakeup_test

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/testnats"
	"github.com/letterlock/letterlock/internal/wakeup"
)

var (
	alice = identity.DeviceID{1}
	bob   = identity.DeviceID{2}
)

// intCodec lets numbers travel, but for negative ones, which are too large to.
type intCodec struct{}

func (intCodec) Size(m *int) int {
	if *m < 0 {
		return 0
	}
	return 9
}

func (intCodec) Append(b []byte, m *int) []byte {
	return binary.BigEndian.AppendUint64(append(b, 1), uint64(*m))
}

func (intCodec) Decode(b []byte) (*int, error) {
	switch {
	case b[0] != 1:
		return nil, nil //nolint:nilnil // a later release's, by the contract of Codec
	case len(b) != 9:
		return nil, errors.New("not a number")
	}
	n := int(binary.BigEndian.Uint64(b[1:]))
	return &n, nil
}

// hubs are two ends of hints: Notify at one, Listen at the other.
type hubs struct {
	notify, listen wakeup.Node[int]
	// settle waits until listeners are known, and have heard all there is to hear.
	settle func()
}

// eachHub runs a test over every kind of hub.
func eachHub(t *testing.T, test func(t *testing.T, h hubs)) {
	t.Helper()
	t.Run("local", func(t *testing.T) {
		hub := wakeup.NewLocal[int]()
		test(t, hubs{notify: hub, listen: hub, settle: func() {}})
	})
	t.Run("NATS, one node", func(t *testing.T) {
		hub := newNATS(t, testnats.Start(t).URL, 1)
		test(t, hubs{notify: hub, listen: hub, settle: func() { hub.Settle(t) }})
	})
	t.Run("NATS, two nodes", func(t *testing.T) {
		url := testnats.Start(t).URL
		one, two := newNATS(t, url, 1), newNATS(t, url, 1)
		test(t, hubs{notify: one, listen: two, settle: func() { one.Settle(t); two.Settle(t) }})
	})
}

func newNATS(t *testing.T, url string, store int64) *wakeup.NATS[int] {
	t.Helper()
	hub, err := wakeup.NewNATS(wakeup.NATSOptions{URL: url, Store: store, Log: slog.New(slog.DiscardHandler)}, intCodec{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hub.Close(t.Context()) })
	return hub
}

// listener has heard hints.
type listener struct {
	mu    sync.Mutex
	hints []wakeup.Hint[int]
}

func (l *listener) hear(hint wakeup.Hint[int]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hints = append(l.hints, hint)
}

// heard gives the hints so far.
func (l *listener) heard() []wakeup.Hint[int] {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.hints)
}

// messages gives those of the hints; -1 for none.
func (l *listener) messages() []int {
	var list []int
	for _, hint := range l.heard() {
		if hint.Message == nil {
			list = append(list, -1)
			continue
		}
		list = append(list, *hint.Message)
	}
	return list
}

func grown(device identity.DeviceID, n int) wakeup.Hint[int] {
	return wakeup.Hint[int]{Device: device, Event: wakeup.Grown, Message: &n}
}

func TestHintsReachEveryListenerOfTheirDeviceAlone(t *testing.T) {
	eachHub(t, func(t *testing.T, h hubs) {
		var first, second, other listener
		defer h.listen.Listen(alice, first.hear)()
		defer h.listen.Listen(alice, second.hear)()
		defer h.listen.Listen(bob, other.hear)()
		h.settle()
		h.notify.Notify(grown(alice, 1), grown(bob, 2), grown(alice, 3))
		h.notify.Notify()
		h.settle()
		for name, l := range map[string]*listener{"first": &first, "second": &second} {
			if want := []int{1, 3}; !slices.Equal(l.messages(), want) {
				t.Errorf("the %s listener of alice heard %v, want %v", name, l.messages(), want)
			}
		}
		if want := []int{2}; !slices.Equal(other.messages(), want) {
			t.Errorf("the listener of bob heard %v, want %v", other.messages(), want)
		}
	})
}

func TestAListenerThatStoppedHearsNothing(t *testing.T) {
	eachHub(t, func(t *testing.T, h hubs) {
		var gone, left listener
		stop := h.listen.Listen(alice, gone.hear)
		defer h.listen.Listen(alice, left.hear)()
		h.settle()
		h.notify.Notify(grown(alice, 1))
		h.settle()
		stop()
		stop()
		h.notify.Notify(grown(alice, 2))
		h.settle()
		if want := []int{1}; !slices.Equal(gone.messages(), want) {
			t.Errorf("the stopped listener heard %v, want %v", gone.messages(), want)
		}
		if want := []int{1, 2}; !slices.Equal(left.messages(), want) {
			t.Errorf("the other listener heard %v, want %v", left.messages(), want)
		}
	})
}

// A device may leave a node and come back.
func TestALaterListenerHears(t *testing.T) {
	eachHub(t, func(t *testing.T, h hubs) {
		for n := range 3 {
			var l listener
			stop := h.listen.Listen(alice, l.hear)
			h.settle()
			h.notify.Notify(grown(alice, n))
			h.settle()
			stop()
			h.settle()
			if want := []int{n}; !slices.Equal(l.messages(), want) {
				t.Errorf("listener %d heard %v", n, l.messages())
			}
		}
	})
}

func TestListenersComeAndGoWhileHintsPass(t *testing.T) {
	eachHub(t, func(t *testing.T, h hubs) {
		var steady listener
		defer h.listen.Listen(alice, steady.hear)()
		h.settle()
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				for range 200 {
					h.listen.Listen(alice, func(wakeup.Hint[int]) {})()
					h.listen.Listen(bob, func(wakeup.Hint[int]) {})()
				}
			})
		}
		for n := range 1000 {
			h.notify.Notify(grown(alice, n))
		}
		workers.Wait()
		h.settle()
		if got := steady.messages(); len(got) != 1000 || !slices.IsSorted(got) {
			t.Errorf("the steady listener heard %d hints, sorted %v; want 1000 in order", len(got), slices.IsSorted(got))
		}
	})
}

// What a hint says arrives, whatever its event.
func TestEveryEventArrives(t *testing.T) {
	eachHub(t, func(t *testing.T, h hubs) {
		var l listener
		var removed []identity.DeviceID
		defer h.listen.Listen(alice, l.hear)()
		defer h.listen.ListenRemoved(func(device identity.DeviceID) { removed = append(removed, device) })()
		h.settle()
		h.notify.Notify(
			wakeup.Hint[int]{Device: alice, Event: wakeup.TakenOver, By: 1 << 63},
			wakeup.Hint[int]{Device: alice, Event: wakeup.Grown},
			grown(alice, 7),
		)
		h.settle()
		h.notify.Notify(wakeup.Hint[int]{Device: alice, Event: wakeup.Removed}, wakeup.Hint[int]{Device: bob, Event: wakeup.Removed})
		h.settle()
		heard := l.heard()
		if len(heard) != 4 {
			t.Fatalf("heard %+v", heard)
		}
		for i, want := range []wakeup.Hint[int]{
			{Device: alice, Event: wakeup.TakenOver, By: 1 << 63},
			{Device: alice, Event: wakeup.Grown},
			{Device: alice, Event: wakeup.Grown, Message: heard[2].Message},
			{Device: alice, Event: wakeup.Removed},
		} {
			if heard[i] != want {
				t.Errorf("hint %d is %+v, want %+v", i, heard[i], want)
			}
		}
		if heard[2].Message == nil || *heard[2].Message != 7 {
			t.Errorf("the message is %v, want 7", heard[2].Message)
		}
		// Settle of NATS marks its place by a device of its own.
		removed = slices.DeleteFunc(removed, func(d identity.DeviceID) bool { return d != alice && d != bob })
		if want := []identity.DeviceID{alice, bob}; !slices.Equal(removed, want) {
			t.Errorf("heard of the removal of %v, want %v", removed, want)
		}
	})
}

// Closing passes on what was given before, and ends nobody who listens here.
func TestCloseSendsWhatWaits(t *testing.T) {
	eachHub(t, func(t *testing.T, h hubs) {
		var l, late listener
		defer h.listen.Listen(alice, l.hear)()
		defer h.notify.Listen(bob, late.hear)()
		h.settle()
		for n := range 100 {
			h.notify.Notify(grown(alice, n))
		}
		h.notify.Close(t.Context())
		h.notify.Close(t.Context())
		if two, ok := h.listen.(*wakeup.NATS[int]); ok && h.listen != h.notify {
			two.Settle(t)
		}
		if got := l.messages(); len(got) != 100 || !slices.IsSorted(got) {
			t.Errorf("heard %v, want 0 to 99", got)
		}
		h.notify.Notify(grown(bob, 1))
		if want := []int{1}; !slices.Equal(late.messages(), want) {
			t.Errorf("after Close a listener of the same node heard %v", late.messages())
		}
	})
}

package wakeup

import (
	"context"
	"slices"
	"sync"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/slim"
)

// Local is the hub of a single node. It calls the listeners in Notify itself, keeps nothing, and loses nothing.
type Local[M any] struct {
	mu        sync.RWMutex
	listeners slim.Map[identity.DeviceID, []*func(Hint[M])]
	removals  []*func(identity.DeviceID)
}

var _ Node[struct{}] = (*Local[struct{}])(nil)

// NewLocal makes a hub for one process.
func NewLocal[M any]() *Local[M] {
	return new(Local[M])
}

// Notify calls the listeners, in the order of hints.
func (l *Local[M]) Notify(hints ...Hint[M]) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, hint := range hints {
		for _, listener := range l.listeners.Get(hint.Device) {
			(*listener)(hint)
		}
		if hint.Event == Removed {
			for _, listener := range l.removals {
				(*listener)(hint.Device)
			}
		}
	}
}

// Listen adds a listener. Calling stop again does nothing.
func (l *Local[M]) Listen(device identity.DeviceID, listener func(Hint[M])) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := &listener
	l.listeners.Put(device, append(l.listeners.Get(device), entry))
	return func() { l.remove(device, entry) }
}

// ListenRemoved adds a listener to all removals.
func (l *Local[M]) ListenRemoved(listener func(identity.DeviceID)) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := &listener
	l.removals = append(l.removals, entry)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.removals = slices.DeleteFunc(slices.Clone(l.removals), func(other *func(identity.DeviceID)) bool { return other == entry })
	}
}

// Close does nothing: nothing is under way.
func (l *Local[M]) Close(context.Context) {}

// listens tells whether a device has a listener.
func (l *Local[M]) listens(device identity.DeviceID) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.listeners.Get(device)) > 0
}

func (l *Local[M]) remove(device identity.DeviceID, entry *func(Hint[M])) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kept []*func(Hint[M])
	for _, other := range l.listeners.Get(device) {
		if other != entry {
			kept = append(kept, other)
		}
	}
	if len(kept) == 0 {
		l.listeners.Delete(device)
		return
	}
	l.listeners.Put(device, kept)
}

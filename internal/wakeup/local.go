package wakeup

import (
	"sync"

	"github.com/letterlock/letterlock/identity"
)

// Local is the hub of a single node. It calls the listeners in Notify itself, keeps nothing, and loses nothing.
type Local[M any] struct {
	mu        sync.RWMutex
	listeners map[identity.DeviceID][]*func(Hint[M])
}

var _ Hub[struct{}] = (*Local[struct{}])(nil)

// NewLocal makes a hub for one process.
func NewLocal[M any]() *Local[M] {
	return &Local[M]{listeners: make(map[identity.DeviceID][]*func(Hint[M]))}
}

// Notify calls the listeners, in the order of hints.
func (l *Local[M]) Notify(hints ...Hint[M]) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, hint := range hints {
		for _, listener := range l.listeners[hint.Device] {
			(*listener)(hint)
		}
	}
}

// Listen adds a listener. Calling stop again does nothing.
func (l *Local[M]) Listen(device identity.DeviceID, listener func(Hint[M])) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := &listener
	l.listeners[device] = append(l.listeners[device], entry)
	return sync.OnceFunc(func() { l.remove(device, entry) })
}

func (l *Local[M]) remove(device identity.DeviceID, entry *func(Hint[M])) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.listeners[device][:0:0]
	for _, other := range l.listeners[device] {
		if other != entry {
			kept = append(kept, other)
		}
	}
	if len(kept) == 0 {
		delete(l.listeners, device)
		return
	}
	l.listeners[device] = kept
}

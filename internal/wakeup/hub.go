// Package wakeup carries hints between those who write to mailboxes and those who read them.
package wakeup

import "github.com/letterlock/letterlock/identity"

// Event is what a hint is about.
type Event uint8

// The events.
const (
	// Grown: the mailbox holds more than before.
	Grown Event = iota + 1
	// TakenOver: another subscription of the device has begun.
	TakenOver
	// Removed: the device is no longer on its user's list.
	Removed
)

// Hint says that something may have happened to the mailbox of one device. M is the type of a message.
type Hint[M any] struct {
	Device identity.DeviceID
	Event  Event
	// Message is, for Grown, one message that is committed and visible to every reader, or nil if none is at hand.
	// Nobody changes what it points to.
	Message *M
	// By is, for TakenOver, the random name of the subscription that took over.
	By uint64
}

// Hub passes hints from any node to the listeners on all nodes.
//
// A hint is lossy by nature: it may be lost, doubled, late or out of order, and nobody relies on it (delivery contract 6). A
// listener that needs to be right looks at the store, now and then without any hint. What a hub may not do is make hints
// up: a Message that it hands over was given to Notify as it is.
type Hub[M any] interface {
	// Notify passes hints on. It never waits for a listener or for a network; what cannot be passed on is dropped. Safe
	// for concurrent use.
	Notify(hints ...Hint[M])
	// Listen calls listener for each hint about device until stop is called; a call that has begun may end after stop.
	// listener is called by many goroutines and must neither block nor call the hub.
	Listen(device identity.DeviceID, listener func(Hint[M])) (stop func())
}

// Package wakeup carries hints between those who write to mailboxes and those who read them: Local inside one process, NATS
// between the nodes of one store.
package wakeup

import (
	"context"

	"github.com/letterlock/letterlock/identity"
)

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

// Node is the hub of one node, whose server also hears of every removed device: it holds more of one than a mailbox.
type Node[M any] interface {
	Hub[M]
	// ListenRemoved calls listener for each Removed hint, whatever its device, after the listeners of that device. The rules
	// of Listen hold.
	ListenRemoved(listener func(identity.DeviceID)) (stop func())
	// Close lets what was given to Notify go out, for as long as ctx holds. What is given to Notify afterwards reaches the
	// listeners of this node alone. Calling it again does nothing.
	Close(ctx context.Context)
}

// Codec is how messages travel between nodes, which may be of different releases.
type Codec[M any] interface {
	// Size is how many bytes Append adds; 0 for a message that does not travel: its hint goes without it.
	Size(m *M) int
	// Append writes a message.
	Append(b []byte, m *M) []byte
	// Decode reads what Append has written, and gives nil for a form that it does not know, such as a later release's. The
	// message may share memory with b.
	Decode(b []byte) (*M, error)
}

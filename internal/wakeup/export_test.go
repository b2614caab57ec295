package wakeup

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/letterlock/letterlock/identity"
)

// Settle waits until NATS knows whom this hub listens for, has what it was to send, and the listeners have heard what NATS
// had for them by then.
func (n *NATS[M]) Settle(t testing.TB) {
	t.Helper()
	await(t, n.outbox.flush())
	if err := n.conn.FlushTimeout(10 * time.Second); err != nil {
		t.Fatalf("NATS: %v", err)
	}
	heard, marker := make(chan struct{}), identity.DeviceID{0: 0xff, 19: 0xff}
	defer n.ListenRemoved(func(device identity.DeviceID) {
		if device == marker {
			close(heard)
		}
	})()
	n.heard <- &nats.Msg{Subject: n.prefix + removedSubject, Data: removedFrame([]identity.DeviceID{marker})}
	await(t, heard)
}

func await(t testing.TB, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the hub does not go on")
	}
}

// Subject is where hints about a device go.
func (n *NATS[M]) Subject(device identity.DeviceID) string { return n.subject(device) }

// RemovedSubject is where removals go.
func (n *NATS[M]) RemovedSubject() string { return n.prefix + removedSubject }

// ReadFrame reads a frame as the hub does.
func ReadFrame[M any](device identity.DeviceID, frame []byte, codec Codec[M]) ([]Hint[M], error) {
	return readFrame(nil, device, frame, codec)
}

// AppendFrame writes a frame.
func AppendFrame[M any](hints []Hint[M], codec Codec[M]) []byte {
	b := []byte{frameVersion}
	for _, hint := range hints {
		_, message := hintSize(hint, codec)
		b = appendHint(b, hint, message, codec)
	}
	return b
}

// The bounds.
const (
	MaxFrame   = maxFrame
	MaxWaiting = maxWaiting
)

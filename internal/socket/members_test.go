package socket_test

import (
	"context"
	"slices"
	"testing"

	"github.com/99designs/gqlgen/graphql/handler/transport"

	"github.com/letterlock/letterlock/internal/socket"
)

// All sockets of a removed device end, whichever was opened first or is gone already, and no other.
func TestEndDeviceEndsAllItsSockets(t *testing.T) {
	devices := []string{"a", "a", "a", "a", "b"}
	next := 0
	r := newRig(t, func(o *socket.Options) {
		o.Init = func(ctx context.Context, _ transport.InitPayload) (context.Context, error) {
			socket.Own(ctx, devices[next])
			next++
			return ctx, nil
		}
	})
	var sockets []*client
	for range devices {
		sockets = append(sockets, r.dial(t))
	}
	got := r.sockets.Devices()
	slices.Sort(got)
	if !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("sockets of %v are open", got)
	}
	_ = sockets[0].conn.Close()
	_ = sockets[2].conn.Close()
	r.sockets.EndDevice("a")
	for _, c := range []*client{sockets[1], sockets[3]} {
		if code, _ := c.closed(); code != socket.CloseForbidden {
			t.Errorf("closed with %d, want 4403", code)
		}
	}
	sockets[4].wantPong()
}

package caller_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
)

// strict is a directory that refuses every token.
type strict struct{}

func (strict) Authenticate(context.Context, string, []string) (directory.Device, time.Time, error) {
	return directory.Device{}, time.Time{}, problem.New(problem.Unauthenticated, "The device token is refused.")
}

func (strict) Remembered(string, []string) (identity.DeviceID, bool) {
	return identity.DeviceID{}, false
}

func (strict) Listed(context.Context, identity.DeviceID) (directory.Device, error) {
	return directory.Device{}, problem.New(problem.DeviceRemoved, "The device is gone.")
}

func TestCaller(t *testing.T) {
	a := caller.NewAuthenticator(strict{}, []string{"http://localhost:8080"}, nil)
	for _, header := range []string{"Bearer", "Bearer ", "Basic Zm9v", "eyJ", "Bearer eyJ", "bearer  eyJ"} {
		ctx := a.WithAuthorization(t.Context(), header, netip.Addr{})
		c := caller.From(ctx)
		if _, err := c.Device(ctx); c.Anonymous() || problem.CodeOf(err) != problem.Unauthenticated {
			t.Errorf("%q: %v", header, err)
		}
	}
	for _, ctx := range []context.Context{t.Context(), a.WithAuthorization(t.Context(), "", netip.Addr{})} {
		c := caller.From(ctx)
		if _, err := c.Device(ctx); !c.Anonymous() || problem.CodeOf(err) != problem.Unauthenticated || !strings.Contains(err.Error(), "letter token") {
			t.Errorf("nobody: %v", err)
		}
	}
	ctx := a.WithDevice(t.Context(), identity.DeviceID{1}, netip.Addr{})
	if _, err := caller.From(ctx).Device(ctx); problem.CodeOf(err) != problem.DeviceRemoved {
		t.Errorf("on a socket: %v", err)
	}
}

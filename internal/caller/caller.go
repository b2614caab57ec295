// Package caller holds who calls: the token that a request or a socket brought, and the device behind it, looked at only by
// the fields that need it.
package caller

import (
	"context"
	"net/netip"
	"strings"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/term"
)

// Caller is whoever sent a request. The zero value brought nothing.
type Caller struct {
	authenticator *Authenticator
	address       netip.Addr // where from, if that is known
	authorization string
	// device is known from the start on a socket, whose token was checked when it opened.
	device *identity.DeviceID
}

type key struct{}

// WithAuthorization puts a caller into ctx who sent this Authorization header, or none, from an address.
func (a *Authenticator) WithAuthorization(ctx context.Context, header string, from netip.Addr) context.Context {
	return context.WithValue(ctx, key{}, &Caller{authenticator: a, authorization: header, address: from})
}

// WithDevice puts a caller into ctx whose token has been checked. Whether the device still stands is looked at each time.
func (a *Authenticator) WithDevice(ctx context.Context, device identity.DeviceID, from netip.Addr) context.Context {
	return context.WithValue(ctx, key{}, &Caller{authenticator: a, device: &device, address: from})
}

// From gives the caller of ctx.
func From(ctx context.Context) *Caller {
	if c, ok := ctx.Value(key{}).(*Caller); ok {
		return c
	}
	return &Caller{}
}

// Anonymous reports whether the caller brought no token.
func (c *Caller) Anonymous() bool { return c.device == nil && c.authorization == "" }

// Token gives the token as it was brought, unverified; empty if there is none or the header is no bearer token.
func (c *Caller) Token() string {
	token, _ := bearer(c.authorization)
	return token
}

// Address is where the caller is, behind proxies that are trusted; the zero value if that is unknown.
func (c *Caller) Address() netip.Addr { return c.address }

// Device gives the calling device, and counts that it acts. Errors: UNAUTHENTICATED without a token or with one that is
// refused, DEVICE_REMOVED, STORE_UNAVAILABLE, RATE_LIMITED.
func (c *Caller) Device(ctx context.Context) (directory.Device, error) {
	device, err := c.authenticate(ctx)
	if err == nil {
		err = c.authenticator.rates.device(device.ID)
	}
	if err != nil {
		return directory.Device{}, err
	}
	return device, nil
}

func (c *Caller) authenticate(ctx context.Context) (directory.Device, error) {
	switch {
	case c.device != nil:
		return c.authenticator.directory.Listed(ctx, *c.device)
	case c.authorization == "":
		return directory.Device{}, problem.New(problem.Unauthenticated,
			"This needs a device token: `Authorization: Bearer TOKEN` as a header, or in the payload of connection_init. "+
				"`letter token` prints one; docs/protocol.md, S6, tells how to make it.")
	default:
		device, until, err := c.authenticator.Authenticate(ctx, c.authorization, c.address)
		if err == nil {
			term.Set(ctx, until)
		}
		return device, err
	}
}

// bearer takes the token out of an Authorization header (RFC 6750).
func bearer(header string) (string, error) {
	scheme, token, found := strings.Cut(header, " ")
	token = strings.Trim(token, " ")
	if !found || token == "" || !strings.EqualFold(scheme, "Bearer") {
		return "", problem.New(problem.Unauthenticated, "The Authorization must be `Bearer` and a device token.")
	}
	return token, nil
}

// Package caller holds who calls: the token that a request or a socket brought, and the device behind it, looked at only by
// the fields that need it.
package caller

import (
	"context"
	"strings"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
)

// Caller is whoever sent a request. The zero value brought nothing.
type Caller struct {
	authenticator *Authenticator
	authorization string
	// device is known from the start on a socket, whose token was checked when it opened.
	device *identity.DeviceID
}

type key struct{}

// WithAuthorization puts a caller into ctx who brought this Authorization header, or none.
func (a *Authenticator) WithAuthorization(ctx context.Context, header string) context.Context {
	return context.WithValue(ctx, key{}, &Caller{authenticator: a, authorization: header})
}

// WithDevice puts a caller into ctx whose token has been checked. Whether the device still stands is looked at each time.
func (a *Authenticator) WithDevice(ctx context.Context, device identity.DeviceID) context.Context {
	return context.WithValue(ctx, key{}, &Caller{authenticator: a, device: &device})
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

// Device gives the calling device. Errors: UNAUTHENTICATED without a token or with one that is refused, DEVICE_REMOVED,
// STORE_UNAVAILABLE.
func (c *Caller) Device(ctx context.Context) (directory.Device, error) {
	switch {
	case c.device != nil:
		return c.authenticator.directory.Listed(ctx, *c.device)
	case c.authorization == "":
		return directory.Device{}, problem.New(problem.Unauthenticated,
			"This needs a device token: `Authorization: Bearer TOKEN` as a header, or in the payload of connection_init. "+
				"`letter token` prints one; docs/protocol.md, S6, tells how to make it.")
	default:
		return c.authenticator.Authenticate(ctx, c.authorization)
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

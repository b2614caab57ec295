package caller

import (
	"context"
	"net/netip"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
)

// Directory knows the devices. *directory.Directory is one.
type Directory interface {
	// Authenticate gives the device that signed a token (S6), and until when the token holds.
	Authenticate(ctx context.Context, token string, origins []string) (_ directory.Device, until time.Time, _ error)
	// Remembered gives the device of a token that was found good of late. It asks no store.
	Remembered(token string, origins []string) (identity.DeviceID, bool)
	// Listed gives a device unless it has been removed.
	Listed(ctx context.Context, id identity.DeviceID) (directory.Device, error)
}

// Authenticator checks device tokens.
type Authenticator struct {
	directory Directory
	origins   []string
	rates     *Rates
}

// NewAuthenticator makes an Authenticator for tokens whose audience is one of the canonical origins. rates may be nil.
func NewAuthenticator(d Directory, origins []string, rates *Rates) *Authenticator {
	return &Authenticator{directory: d, origins: origins, rates: rates}
}

// Authenticate gives the device behind an Authorization header that was sent from an address, and until when its token holds.
// Errors: UNAUTHENTICATED, DEVICE_REMOVED, STORE_UNAVAILABLE, RATE_LIMITED.
//
// Refused tokens count against the address. Once they are too many, only tokens that were found good before are looked at:
// who shares the address with somebody who guesses goes on until theirs run out.
func (a *Authenticator) Authenticate(
	ctx context.Context, authorization string, from netip.Addr,
) (_ directory.Device, until time.Time, _ error) {
	token, err := bearer(authorization)
	if err != nil {
		return directory.Device{}, until, a.refused(from, err)
	}
	if tooMany := a.rates.exhausted(from); tooMany != nil {
		if _, known := a.remembered(token); !known {
			return directory.Device{}, until, tooMany
		}
	}
	device, until, err := a.directory.Authenticate(ctx, token, a.origins)
	if err != nil {
		return device, until, a.refused(from, err)
	}
	return device, until, nil
}

// refused counts what failed for the caller's sake.
func (a *Authenticator) refused(from netip.Addr, err error) error {
	if code := problem.CodeOf(err); code == problem.Unauthenticated || code == problem.DeviceRemoved {
		_ = a.rates.anonymous(from) // This one is told why it is refused, the next is limited.
	}
	return err
}

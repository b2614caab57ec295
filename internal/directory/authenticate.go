package directory

import (
	"context"
	"errors"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

// Authenticate gives the device that signed a token (S6), and until when the token holds. origins are the canonical origins
// that this server goes by. It fails with UNAUTHENTICATED, DEVICE_REMOVED or STORE_UNAVAILABLE.
func (d *Directory) Authenticate(ctx context.Context, token string, origins []string) (_ Device, until time.Time, _ error) {
	if token == "" {
		return Device{}, until, problem.New(problem.Unauthenticated, "This needs a device token.")
	}
	verified, seen := d.tokens.get(token, origins, d.options.Now())
	d.options.Observer.TokenLookedUp(seen)
	id := verified.Device
	if !seen {
		var err error
		if id, _, err = identity.ParseTokenDevice(token); err != nil {
			return Device{}, until, tokenRefused(err)
		}
	}
	device, err := d.Device(ctx, id)
	if err != nil {
		return Device{}, until, err
	}
	if !seen {
		if verified, err = d.verifyToken(token, device.SigningKey, device.User, origins); err != nil {
			return Device{}, until, err
		}
		d.tokens.put(token, verified)
	}
	device, err = listed(device)
	return device, verified.ExpiresAt, err
}

// Remembered gives the device of a token that Authenticate has found good, as long as it is remembered and the token holds.
// It asks no store.
func (d *Directory) Remembered(token string, origins []string) (identity.DeviceID, bool) {
	verified, ok := d.tokens.get(token, origins, d.options.Now())
	return verified.Device, ok
}

// Listed is Device for callers who must be on their user's list now: DEVICE_REMOVED if the device no longer is.
func (d *Directory) Listed(ctx context.Context, id identity.DeviceID) (Device, error) {
	device, err := d.Device(ctx, id)
	if err != nil {
		return Device{}, err
	}
	return listed(device)
}

func listed(device Device) (Device, error) {
	if device.Removed {
		return Device{}, deviceRemoved()
	}
	return device, nil
}

func (d *Directory) verifyToken(token string, key identity.SigningPublicKey, user identity.UserID, origins []string) (identity.Token, error) {
	verified, err := identity.VerifyToken(token, key, origins, d.options.Now())
	if err == nil {
		err = verified.CheckUser(user)
	}
	switch {
	case errors.Is(err, identity.ErrTokenSignature):
		return identity.Token{}, noSuchDevice()
	case err != nil:
		return identity.Token{}, tokenRefused(err)
	}
	return verified, nil
}

// noSuchDevice is also said of a device that is here, to who does not have its key: whether it is here is not theirs to know.
func noSuchDevice() *problem.Error {
	return problem.New(problem.Unauthenticated, "The device token is refused: no device with this id and key is registered here. Make a new one, or call registerKey first.")
}

func tokenRefused(err error) *problem.Error {
	advice := "Make a new one."
	switch {
	case errors.Is(err, identity.ErrTokenAudience):
		advice = "Make one for an origin that the query server names."
	case errors.Is(err, identity.ErrTokenExpired), errors.Is(err, identity.ErrTokenLifetime), errors.Is(err, identity.ErrTokenFuture):
		advice = "Make a new one; if the clock is wrong, go by the query server's time."
	}
	return problem.New(problem.Unauthenticated, "The device token is refused: "+err.Error()+". "+advice)
}

func deviceRemoved() *problem.Error {
	return problem.New(problem.DeviceRemoved,
		"The device is no longer on its user's list and can't come back. Link it again as a new device.")
}

package directory

import (
	"context"
	"errors"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

// Authenticate gives the device that signed a token (S6). origins are the canonical origins that this server goes by.
// It fails with UNAUTHENTICATED, DEVICE_REMOVED or STORE_UNAVAILABLE.
func (d *Directory) Authenticate(ctx context.Context, token string, origins []string) (Device, error) {
	if token == "" {
		return Device{}, problem.New(problem.Unauthenticated, "This needs a device token.")
	}
	id, _, err := identity.ParseTokenDevice(token)
	if err != nil {
		return Device{}, tokenRefused(err)
	}
	device, err := d.Device(ctx, id)
	if err != nil {
		return Device{}, err
	}
	if err := d.verifyToken(token, device.SigningKey, device.User, origins); err != nil {
		return Device{}, err
	}
	if device.Removed {
		return Device{}, deviceRemoved()
	}
	return device, nil
}

func (d *Directory) verifyToken(token string, key identity.SigningPublicKey, user identity.UserID, origins []string) error {
	verified, err := identity.VerifyToken(token, key, origins, d.options.Now())
	if err == nil {
		err = verified.CheckUser(user)
	}
	if err != nil {
		return tokenRefused(err)
	}
	return nil
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

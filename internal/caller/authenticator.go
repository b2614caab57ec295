package caller

import (
	"context"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/directory"
)

// Directory knows the devices. *directory.Directory is one.
type Directory interface {
	// Authenticate gives the device that signed a token (S6).
	Authenticate(ctx context.Context, token string, origins []string) (directory.Device, error)
	// Listed gives a device unless it has been removed.
	Listed(ctx context.Context, id identity.DeviceID) (directory.Device, error)
}

// Authenticator checks device tokens.
type Authenticator struct {
	directory Directory
	origins   []string
}

// NewAuthenticator makes an Authenticator for tokens whose audience is one of the canonical origins.
func NewAuthenticator(d Directory, origins []string) *Authenticator {
	return &Authenticator{directory: d, origins: origins}
}

// Authenticate gives the device behind an Authorization header. Errors: UNAUTHENTICATED, DEVICE_REMOVED, STORE_UNAVAILABLE.
func (a *Authenticator) Authenticate(ctx context.Context, authorization string) (directory.Device, error) {
	token, err := bearer(authorization)
	if err != nil {
		return directory.Device{}, err
	}
	return a.directory.Authenticate(ctx, token, a.origins)
}

package client

import (
	"context"
	"errors"
	"time"

	"github.com/letterlock/letterlock/device"
)

// SafetyNumber gives the safety number of oneself and another user: 60 digits that both see alike, and a code for the
// other one to scan. It asks the server for the user if nothing is held of them, and verifies what it says. It fails with
// ErrToSelf, ErrUserUnknown, an AlarmError, or because the server can't be reached.
func (c *Client) SafetyNumber(ctx context.Context, user UserID) (SafetyNumber, error) {
	number, err := c.safetyNumber(ctx, user)
	if !errors.Is(err, device.ErrNoList) {
		return number, err
	}
	ctx, cancel := c.while(ctx)
	defer cancel()
	if err := c.patiently(ctx, c.options.Patience, func() error { return c.learn(ctx, user) }); err != nil {
		return SafetyNumber{}, err
	}
	return c.safetyNumber(ctx, user)
}

func (c *Client) safetyNumber(ctx context.Context, user UserID) (number SafetyNumber, err error) {
	err = c.view(ctx, func(h device.Host) (err error) {
		number, err = h.SafetyNumber(user)
		return err
	})
	return number, err
}

// learn fetches the lists of a user who must be there.
func (c *Client) learn(ctx context.Context, user UserID) error {
	result, err := c.fetch(ctx, &device.FetchUser{User: user})
	switch {
	case err != nil:
		return err
	case result.alarm != nil:
		return &AlarmError{Alarm: *result.alarm}
	case !result.known:
		return ErrUserUnknown
	}
	return nil
}

// Verify compares what the other user shows – the code that was scanned, or the 60 digits – with the safety number, and
// records that it is right. If it was people who have compared, pass the digits that they were shown: SafetyNumber's
// String. It fails as SafetyNumber does, and with ErrSafetyText, ErrSafetyVersion, ErrSafetyOwnCode, ErrSafetyOthers or
// ErrSafetyMismatch; then nothing is recorded.
func (c *Client) Verify(ctx context.Context, user UserID, shown string) error {
	if _, err := c.SafetyNumber(ctx, user); err != nil {
		return err
	}
	_, err := c.step(ctx, func(h device.Host) (device.Step, error) { return h.Verify(user, shown) })
	return err
}

// Unverify forgets that a user was verified.
func (c *Client) Unverify(ctx context.Context, user UserID) error {
	_, err := c.step(ctx, func(h device.Host) (device.Step, error) { return h.Unverify(user) })
	return err
}

// Verified gives when a user was verified; the zero time if they were not.
func (c *Client) Verified(ctx context.Context, user UserID) (time.Time, error) {
	trust, err := c.Trust(ctx, user)
	return trust.Verified, err
}

// Trust tells whether a user is verified, and what waits to be accepted before something can be sent to them.
func (c *Client) Trust(ctx context.Context, user UserID) (trust Trust, err error) {
	err = c.view(ctx, func(h device.Host) (err error) {
		trust, err = h.Trust(user)
		return err
	})
	return trust, err
}

// Accept takes note of what stands in the way of sending to a user, as Trust tells it: a contact's name that came to
// stand for them, or an alarm. It changes nothing if there is neither.
func (c *Client) Accept(ctx context.Context, user UserID) error {
	_, err := c.step(ctx, func(h device.Host) (device.Step, error) { return h.AcceptContact(user) })
	return err
}

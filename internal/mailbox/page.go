package mailbox

import (
	"context"
	"fmt"

	"github.com/letterlock/letterlock/identity"
)

// MaxPage is the most messages that Page gives.
const MaxPage = 100

// pageBytes ends a page after the message that reaches it, in bytes of ciphertext.
const pageBytes = 512 << 10

// Page reads what waits in a device's mailbox behind a position, or all of it without one: at most first messages, 1 to
// MaxPage, and fewer where they are large. Nothing changes by reading.
//
// Errors: BAD_INPUT, CURSOR_INVALID, DEVICE_REMOVED, STORE_UNAVAILABLE, INTERNAL; ctx's own if it ends.
func (s *Service) Page(ctx context.Context, device identity.DeviceID, after *Cursor, first int) (Page, error) {
	if first < 1 || first > MaxPage {
		return Page{}, badInput(fmt.Sprintf("A page has 1 to %d messages.", MaxPage))
	}
	found, start, err := s.open(ctx, device, after)
	if err != nil {
		return Page{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	now, messages, more, err := s.store.page(bounded, pageRequest{
		device: device, mailbox: found.id, after: start, count: first, bytes: pageBytes, now: s.now().UnixMicro(),
	})
	if err != nil {
		return Page{}, readFailure(ctx, err)
	}
	if now.closed {
		return Page{}, deviceRemoved()
	}
	return Page{Messages: messages, HasNext: more, ExpiredCount: now.expired}, nil
}

// Status tells how a device's mailbox stands; for a removed device Closed is true.
//
// Errors: DEVICE_REMOVED if there never was one, STORE_UNAVAILABLE, INTERNAL; ctx's own if it ends.
func (s *Service) Status(ctx context.Context, device identity.DeviceID) (Status, error) {
	row, found, err := s.standing(ctx, device)
	switch {
	case err != nil:
		return Status{}, readFailure(ctx, err)
	case !found:
		return Status{}, deviceRemoved()
	}
	return Status{
		User: row.user, ListVersion: row.listVersion, Closed: row.closed,
		Accepted: row.accepted, Expired: row.expired, Waiting: row.count, WaitingBytes: row.bytes,
	}, nil
}

// open finds the mailbox of a device and the number that reading starts behind. What was acknowledged is gone, so without a
// cursor it starts there and does not pass over what is deleted and not yet vacuumed.
func (s *Service) open(ctx context.Context, device identity.DeviceID, after *Cursor) (standing, int64, error) {
	row, found, err := s.standing(ctx, device)
	switch {
	case err != nil:
		return standing{}, 0, readFailure(ctx, err)
	case !found || row.closed:
		return standing{}, 0, deviceRemoved()
	case after == nil:
		return row, row.acknowledged, nil
	}
	if err := after.within(row.epoch, row.id, row.last); err != nil {
		return standing{}, 0, err
	}
	return row, max(after.number, row.acknowledged), nil
}

// standing asks the store how a mailbox stands, and does not wait for ever: a caller on a socket would.
func (s *Service) standing(ctx context.Context, device identity.DeviceID) (standing, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return s.store.standing(ctx, device)
}

package caller

import (
	"context"
	"net/netip"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/peer"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/ratelimit"
	"github.com/letterlock/letterlock/internal/tally"
)

// PerMinute is how often callers may ask one node, and register on all nodes together: so many a minute, and as many at once. 0 is no
// limit.
type PerMinute struct {
	// Operations that no device answers for, and refused tokens, from one address.
	Operations int
	// Sockets opened from one address.
	Sockets int
	// Registrations from one address.
	Registrations int
	// DeviceOperations of one device.
	DeviceOperations int
}

// RateOptions are what Rates need to be told.
type RateOptions struct {
	Limits PerMinute
	// Tally counts users who are added for all nodes; nil if only this one counts.
	Tally *tally.Tally
	// Limited is told that one of the Limits was met, as this node counts or as all do together; nil if nobody is.
	Limited func(limit string, allNodes bool)
	// Now is the clock.
	Now func() time.Time
}

// The limits that may be met.
const (
	LimitOperations       = "operations"
	LimitSockets          = "sockets"
	LimitRegistrations    = "registrations"
	LimitDeviceOperations = "device_operations"
)

// Rates count what callers ask of one node. Loopback is no address that counts: there is the machine itself, or a proxy that
// speaks for everybody. A nil *Rates counts nothing.
type Rates struct {
	options                            RateOptions
	operations, sockets, registrations *ratelimit.Table[netip.Addr]
	devices                            *ratelimit.Table[identity.DeviceID]
}

// NewRates makes Rates of a node that has counted nothing yet.
func NewRates(options RateOptions) *Rates {
	if options.Limited == nil {
		options.Limited = func(string, bool) {}
	}
	limits := options.Limits
	return &Rates{
		options:       options,
		operations:    ratelimit.New[netip.Addr](limits.Operations),
		sockets:       ratelimit.New[netip.Addr](limits.Sockets),
		registrations: ratelimit.New[netip.Addr](limits.Registrations),
		devices:       ratelimit.New[identity.DeviceID](limits.DeviceOperations),
	}
}

// Sweep forgets callers who have not asked for a while.
func (r *Rates) Sweep() {
	now := r.options.Now()
	r.operations.Sweep(now)
	r.sockets.Sweep(now)
	r.registrations.Sweep(now)
	r.devices.Sweep(now)
}

// Socket counts a socket that an address opens. It fails with RATE_LIMITED.
func (r *Rates) Socket(from netip.Addr) error {
	if r == nil || peer.Uncounted(from) {
		return nil
	}
	return r.limited(LimitSockets, r.sockets.Take(peer.Household(from), r.options.Now()), "Too many sockets were opened from this address.")
}

func (r *Rates) registration(from netip.Addr) error {
	if r == nil || peer.Uncounted(from) {
		return nil
	}
	return r.limited(LimitRegistrations, r.registrations.Take(peer.Household(from), r.options.Now()), tooManyRegistrations)
}

func (r *Rates) registered(ctx context.Context, tx *ent.Tx, from netip.Addr) error {
	if r == nil || r.options.Tally == nil || peer.Uncounted(from) {
		return nil
	}
	limit := tally.PerMinute(r.options.Limits.Registrations)
	wait, err := r.options.Tally.Take(ctx, tx, tally.Registrations, limit, peer.Household(from).AsSlice())
	if err != nil || wait == 0 {
		return err
	}
	r.options.Limited(LimitRegistrations, true)
	return tooMany(wait, tooManyRegistrations)
}

func (r *Rates) anonymous(from netip.Addr) error {
	if r == nil || peer.Uncounted(from) {
		return nil
	}
	return r.limited(LimitOperations, r.operations.Take(peer.Household(from), r.options.Now()), tooManyAnonymous)
}

// exhausted is what anonymous would say, and counts nothing.
func (r *Rates) exhausted(from netip.Addr) error {
	if r == nil || peer.Uncounted(from) {
		return nil
	}
	return r.limited(LimitOperations, r.operations.Exhausted(peer.Household(from), r.options.Now()), tooManyAnonymous)
}

func (r *Rates) device(id identity.DeviceID) error {
	if r == nil {
		return nil
	}
	return r.limited(LimitDeviceOperations, r.devices.Take(id, r.options.Now()), "This device asks too often.")
}

const (
	tooManyAnonymous     = "Too much was asked from this address without a token, or with one that was refused."
	tooManyRegistrations = "Too many users were registered from this address."
)

// limited is what this node answers to somebody who has to wait.
func (r *Rates) limited(limit string, wait time.Duration, message string) error {
	if wait == 0 {
		return nil
	}
	r.options.Limited(limit, false)
	return tooMany(wait, message)
}

func tooMany(wait time.Duration, message string) error {
	return &problem.Error{Code: problem.RateLimited, Stored: problem.No, RetryAfter: wait, Message: message + " Try again later."}
}

// Admit counts an operation before anything is done for it: as one of the caller's device where it is known without asking
// the store, and else as one of the address. It fails with RATE_LIMITED.
func (a *Authenticator) Admit(ctx context.Context) error {
	c := From(ctx)
	if c.device != nil {
		return a.rates.device(*c.device)
	}
	if id, ok := a.remembered(c.Token()); ok {
		return a.rates.device(id)
	}
	return a.rates.anonymous(c.address)
}

// Known reports whether Admit would count an operation of the caller as one of their device, which is known without asking the store.
// Who counts nothing knows everybody.
func (c *Caller) Known() bool {
	switch {
	case c.authenticator == nil:
		return false
	case c.device != nil, c.authenticator.rates == nil:
		return true
	default:
		_, ok := c.authenticator.remembered(c.Token())
		return ok
	}
}

// Registering counts a registration that is tried on this node. It fails with RATE_LIMITED.
func (c *Caller) Registering() error {
	if c.authenticator == nil {
		return nil
	}
	return c.authenticator.rates.registration(c.address)
}

// Registered counts for all nodes, in tx, that the caller adds a user. It fails with RATE_LIMITED.
func (c *Caller) Registered(ctx context.Context, tx *ent.Tx) error {
	if c.authenticator == nil {
		return nil
	}
	return c.authenticator.rates.registered(ctx, tx, c.address)
}

func (a *Authenticator) remembered(token string) (identity.DeviceID, bool) {
	if a.rates == nil || token == "" {
		return identity.DeviceID{}, false
	}
	return a.directory.Remembered(token, a.origins)
}

package caller

import (
	"context"
	"net/netip"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/peer"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/ratelimit"
)

// PerMinute is how often callers may ask one node: so many a minute, and as many at once. 0 is no limit.
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

// Rates count what callers ask of one node. Loopback is no address that counts: there is the machine itself, or a proxy that
// speaks for everybody. A nil *Rates counts nothing.
type Rates struct {
	now                                func() time.Time
	operations, sockets, registrations *ratelimit.Table[netip.Addr]
	devices                            *ratelimit.Table[identity.DeviceID]
}

// NewRates makes Rates that have counted nothing yet.
func NewRates(limits PerMinute, now func() time.Time) *Rates {
	return &Rates{
		now:           now,
		operations:    ratelimit.New[netip.Addr](limits.Operations),
		sockets:       ratelimit.New[netip.Addr](limits.Sockets),
		registrations: ratelimit.New[netip.Addr](limits.Registrations),
		devices:       ratelimit.New[identity.DeviceID](limits.DeviceOperations),
	}
}

// Sweep forgets callers who have not asked for a while.
func (r *Rates) Sweep() {
	now := r.now()
	r.operations.Sweep(now)
	r.sockets.Sweep(now)
	r.registrations.Sweep(now)
	r.devices.Sweep(now)
}

// Socket counts a socket that an address opens. It fails with RATE_LIMITED.
func (r *Rates) Socket(from netip.Addr) error {
	if r == nil || uncounted(from) {
		return nil
	}
	return limited(r.sockets.Take(peer.Household(from), r.now()), "Too many sockets were opened from this address.")
}

func (r *Rates) registration(from netip.Addr) error {
	if r == nil || uncounted(from) {
		return nil
	}
	return limited(r.registrations.Take(peer.Household(from), r.now()), "Too many users were registered from this address.")
}

func (r *Rates) anonymous(from netip.Addr) error {
	if r == nil || uncounted(from) {
		return nil
	}
	return limited(r.operations.Take(peer.Household(from), r.now()), tooManyAnonymous)
}

// exhausted is what anonymous would say, and counts nothing.
func (r *Rates) exhausted(from netip.Addr) error {
	if r == nil || uncounted(from) {
		return nil
	}
	return limited(r.operations.Exhausted(peer.Household(from), r.now()), tooManyAnonymous)
}

func (r *Rates) device(id identity.DeviceID) error {
	if r == nil {
		return nil
	}
	return limited(r.devices.Take(id, r.now()), "This device asks too often.")
}

const tooManyAnonymous = "Too much was asked from this address without a token, or with one that was refused."

func uncounted(from netip.Addr) bool { return !from.IsValid() || from.IsLoopback() }

func limited(wait time.Duration, message string) error {
	if wait == 0 {
		return nil
	}
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

// Registering counts a registration. It fails with RATE_LIMITED.
func (c *Caller) Registering() error {
	if c.authenticator == nil {
		return nil
	}
	return c.authenticator.rates.registration(c.address)
}

func (a *Authenticator) remembered(token string) (identity.DeviceID, bool) {
	if a.rates == nil || token == "" {
		return identity.DeviceID{}, false
	}
	return a.directory.Remembered(token, a.origins)
}

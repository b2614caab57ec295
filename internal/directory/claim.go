package directory

import (
	"context"
	"slices"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/device"
	"github.com/letterlock/letterlock/ent/prekey"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/ratelimit"
	"github.com/letterlock/letterlock/internal/tally"
)

// PrekeyClaim is what was handed out of a user's prekeys.
type PrekeyClaim struct {
	User        identity.UserID
	ListVersion uint32
	Sets        []PrekeySet // in order of the device ids
}

// PrekeySet is what a session with one device is started with, as statements.
type PrekeySet struct {
	Device  identity.DeviceID
	Signed  []byte
	OneTime []byte // nil if none is left
	KEM     []byte // one-time, or the last-resort one
}

// ClaimPrekeys hands out one set for each of the user's devices that have uploaded prekeys, or for those of devices that have. Each
// one-time key is handed out once: it is gone with the commit. The calling device itself is left out.
//
// It fails with RECIPIENT_UNKNOWN, RATE_LIMITED, STORE_UNAVAILABLE or OUTCOME_UNKNOWN (keys may be lost: claim again).
func (d *Directory) ClaimPrekeys(
	ctx context.Context, caller Device, user identity.UserID, devices []identity.DeviceID,
) (claim PrekeyClaim, err error) {
	wait, spend := d.claims.allow(caller.User, user, d.options.Now())
	if wait > 0 {
		limited := problem.New(problem.RateLimited, "Too many prekeys were claimed by this user. Try again later; use the sessions that there are.")
		limited.RetryAfter = wait
		return PrekeyClaim{}, limited
	}
	err = d.write(ctx, func(ctx context.Context, tx *ent.Tx) error {
		owner, err := d.claimed(ctx, tx, user, spend)
		if ent.IsNotFound(err) {
			return problem.New(problem.RecipientUnknown, "No such user is registered here.")
		}
		if err != nil {
			return err
		}
		claim = PrekeyClaim{User: user, ListVersion: owner.ListVersion}
		spends, err := d.spends(ctx, tx, caller.User, user, spend)
		if err != nil {
			return err
		}
		claim.Sets, err = d.takeSets(ctx, tx, user, func(id string) bool {
			return id != caller.ID.String() && (devices == nil || slices.Contains(texts(devices), id))
		}, spends)
		return err
	})
	if err != nil {
		return PrekeyClaim{}, err
	}
	return claim, nil
}

// claimed reads the user whose prekeys are claimed. Where keys are spent, claims of one user go one after the other, so that
// numbers go out in order whatever fails: to a client, a lower number than before is an alarm (R2.4). Limits bound the queue.
func (d *Directory) claimed(ctx context.Context, tx *ent.Tx, user identity.UserID, spend bool) (*ent.User, error) {
	if spend {
		return d.lockUser(ctx, tx, user)
	}
	return tx.User.Get(ctx, user.String())
}

// spends counts a claim for all nodes, unless this one has refused it already, and says whether one-time keys may be spent on it.
func (d *Directory) spends(ctx context.Context, tx *ent.Tx, caller, target identity.UserID, here bool) (bool, error) {
	if !here {
		return false, nil
	}
	wait, err := d.options.Tally.Take(ctx, tx, tally.ClaimsOfPair, d.claims.Pair, caller[:], target[:])
	if err != nil {
		return false, err
	}
	if wait > 0 {
		d.options.Observer.Limited(LimitClaimsOfPair, true)
		return false, nil
	}
	wait, err = d.options.Tally.Take(ctx, tx, tally.ClaimsOfUser, d.claims.Target, target[:])
	if wait > 0 {
		d.options.Observer.Limited(LimitClaimsOfUser, true)
	}
	return wait == 0, err
}

// takeSets goes through the user's devices in order of their ids.
func (d *Directory) takeSets(
	ctx context.Context, tx *ent.Tx, user identity.UserID, wanted func(id string) bool, spend bool,
) (sets []PrekeySet, err error) {
	rows, err := tx.Device.Query().Where(device.UserID(user.String()), device.RemovedAtIsNil()).Order(ent.Asc(device.FieldID)).IDs(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range slices.DeleteFunc(rows, func(id string) bool { return !wanted(id) }) {
		set, complete, err := d.takeSet(ctx, tx, row, spend)
		if err != nil {
			return nil, err
		}
		if complete {
			sets = append(sets, set)
		}
	}
	return sets, nil
}

// takeSet gives no set of a device that has not uploaded a signed and a last-resort prekey yet.
func (d *Directory) takeSet(ctx context.Context, tx *ent.Tx, row string, spend bool) (set PrekeySet, complete bool, err error) {
	if set.Device, err = identity.ParseDeviceID(row); err != nil {
		return set, false, damaged("a device", err)
	}
	lasting, err := tx.Prekey.Query().
		Where(prekey.DeviceID(row), prekey.KindIn(int8(identity.PrekeySigned), int8(identity.PrekeyKEMLastResort))).All(ctx)
	if err != nil {
		return set, false, err
	}
	for _, p := range lasting {
		if kindOf(p) == identity.PrekeySigned {
			set.Signed = p.Statement
		} else {
			set.KEM = p.Statement
		}
	}
	if set.Signed == nil || set.KEM == nil || !spend {
		return set, set.Signed != nil && set.KEM != nil, nil
	}
	if set.OneTime, err = d.takeOne(ctx, tx, row, identity.PrekeyOneTime); err != nil {
		return set, false, err
	}
	kem, err := d.takeOne(ctx, tx, row, identity.PrekeyKEMOneTime)
	if kem != nil {
		set.KEM = kem
	}
	return set, true, err
}

// takeOne takes the lowest number out, or gives nil. Nobody else takes keys of the user meanwhile (claimed).
func (d *Directory) takeOne(ctx context.Context, tx *ent.Tx, row string, kind identity.PrekeyKind) ([]byte, error) {
	its := prekey.And(prekey.DeviceID(row), prekey.Kind(int8(kind))) //nolint:gosec // 1 to 4
	found, err := tx.Prekey.Query().Where(its).Order(ent.Asc(prekey.FieldNumber)).Limit(1).All(ctx)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].Statement, tx.Prekey.DeleteOne(found[0]).Exec(ctx)
}

// ClaimLimits are how often prekeys may be claimed. The zero tally.Limit is none.
type ClaimLimits struct {
	// Caller is for one user who claims, on one node. Beyond it nothing comes.
	Caller tally.Limit
	// Pair is for one user's claims of one other, Target for all claims of one user, on all nodes together. Beyond them sets come without
	// one-time keys.
	Pair, Target tally.Limit
}

func defaultClaimLimits() *ClaimLimits {
	return &ClaimLimits{Caller: tally.Rate(60, 300), Pair: tally.Rate(6, 30), Target: tally.Rate(12, 200)}
}

// claimLimits remembers who has claimed of whom of late on this node, as many as fit. What is too much for it is not asked of the store.
type claimLimits struct {
	ClaimLimits
	callers, targets *ratelimit.Table[identity.UserID]
	pairs            *ratelimit.Table[[2]identity.UserID]
	limited          func(limit string, allNodes bool)
}

func newClaimLimits(limits ClaimLimits, size int, limited func(limit string, allNodes bool)) *claimLimits {
	return &claimLimits{
		limits, newTable[identity.UserID](limits.Caller, size), newTable[identity.UserID](limits.Target, size),
		newTable[[2]identity.UserID](limits.Pair, size), limited,
	}
}

func newTable[K comparable](limit tally.Limit, size int) *ratelimit.Table[K] {
	return ratelimit.Every[K](limit.Every, limit.Burst, size)
}

// sweep forgets claims that no longer make a difference.
func (c *claimLimits) sweep(now time.Time) {
	c.callers.Sweep(now)
	c.pairs.Sweep(now)
	c.targets.Sweep(now)
}

// allow says how long the caller has to wait, and otherwise whether one-time keys may be spent on it, as far as this node knows.
func (c *claimLimits) allow(caller, target identity.UserID, now time.Time) (wait time.Duration, spend bool) {
	switch {
	case c.callers.Take(caller, now) > 0:
		c.limited(LimitClaims, false)
		return c.Caller.Every, false
	case c.pairs.Take([2]identity.UserID{caller, target}, now) > 0:
		c.limited(LimitClaimsOfPair, false)
		return 0, false
	case c.targets.Take(target, now) > 0:
		c.limited(LimitClaimsOfUser, false)
		return 0, false
	default:
		return 0, true
	}
}

package directory

import (
	"context"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/device"
	"github.com/letterlock/letterlock/ent/prekey"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
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
		claim.Sets, err = d.takeSets(ctx, tx, user, func(id string) bool {
			return id != caller.ID.String() && (devices == nil || slices.Contains(texts(devices), id))
		}, spend)
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

// How often prekeys may be claimed on one node. Beyond the limits of a pair and of a target, sets come without one-time keys;
// beyond that of a caller, nothing comes.
const (
	pairEvery, pairBurst     = 10 * time.Second, 30
	targetEvery, targetBurst = 5 * time.Second, 200
	callerEvery, callerBurst = time.Second, 300
)

// claimLimits remembers who has claimed of whom of late, as many as fit.
type claimLimits struct {
	callers, targets *lru.Cache[identity.UserID, *rate.Limiter]
	pairs            *lru.Cache[[2]identity.UserID, *rate.Limiter]
}

func newClaimLimits(size int) *claimLimits {
	return &claimLimits{newLimiters[identity.UserID](size), newLimiters[identity.UserID](size), newLimiters[[2]identity.UserID](size)}
}

func newLimiters[K comparable](size int) *lru.Cache[K, *rate.Limiter] {
	cache, err := lru.New[K, *rate.Limiter](max(1, size))
	if err != nil {
		panic(err) // only a size below 1 is refused
	}
	return cache
}

// allow says how long the caller has to wait, and otherwise whether one-time keys may be spent on it.
func (c *claimLimits) allow(caller, target identity.UserID, now time.Time) (wait time.Duration, spend bool) {
	whole := limiter(c.callers, caller, callerEvery, callerBurst)
	if !whole.AllowN(now, 1) {
		return callerEvery, false
	}
	pair := limiter(c.pairs, [2]identity.UserID{caller, target}, pairEvery, pairBurst)
	all := limiter(c.targets, target, targetEvery, targetBurst)
	return 0, pair.AllowN(now, 1) && all.AllowN(now, 1)
}

func limiter[K comparable](cache *lru.Cache[K, *rate.Limiter], key K, every time.Duration, burst int) *rate.Limiter {
	fresh := rate.NewLimiter(rate.Every(every), burst)
	if known, found, _ := cache.PeekOrAdd(key, fresh); found {
		cache.Get(key) // it was used just now
		return known
	}
	return fresh
}

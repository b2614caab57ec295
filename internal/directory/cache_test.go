package directory

import (
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
)

func TestDeviceReadBeforeItsRemovalDoesNotEnterTheCacheAfter(t *testing.T) {
	cache, now := newDeviceCache(4), time.Unix(1, 0)
	stale := Device{ID: identity.DeviceID{1}}
	_, _, generation := cache.get(stale.ID, now, time.Second) // a reader begins here,
	cache.invalidate([]identity.DeviceID{stale.ID})           // the removal is committed,
	cache.put(stale, now, generation)                         // and the reader ends
	if _, fresh, _ := cache.get(stale.ID, now, time.Second); fresh {
		t.Error("a device that was read before its removal is believed after it")
	}
}

func TestDeviceCacheIsBounded(t *testing.T) {
	cache, now := newDeviceCache(4), time.Unix(1, 0)
	for i := range byte(100) {
		cache.put(Device{ID: identity.DeviceID{i}}, now, 0)
	}
	if n := cache.entries.Len(); n != 4 {
		t.Errorf("a cache for 4 devices holds %d", n)
	}
}

func TestDeviceCacheDoesNotBelieveAClockThatWentBack(t *testing.T) {
	cache, now := newDeviceCache(4), time.Unix(100, 0)
	cache.put(Device{ID: identity.DeviceID{1}}, now, 0)
	if _, fresh, _ := cache.get(identity.DeviceID{1}, now.Add(-time.Nanosecond), time.Second); fresh {
		t.Error("a device read in the future is believed")
	}
}

func TestDevicesThatAreNotAskedForAreSwept(t *testing.T) {
	cache, start := newDeviceCache(4), time.Unix(100, 0)
	first, second := Device{ID: identity.DeviceID{1}}, Device{ID: identity.DeviceID{2}}
	cache.put(first, start, 0)
	cache.put(second, start.Add(time.Second), 0)
	cache.sweep(start.Add(time.Second), time.Second)
	if _, fresh, _ := cache.get(second.ID, start.Add(time.Second), time.Second); !fresh || cache.entries.Len() != 1 {
		t.Errorf("%d devices are left, and who may be believed is among them: %v", cache.entries.Len(), fresh)
	}
	cache.sweep(start.Add(2*time.Second), time.Second)
	if n := cache.entries.Len(); n != 0 {
		t.Errorf("%d devices are left that would be read again", n)
	}
}

func TestTokensThatHaveExpiredAreSwept(t *testing.T) {
	cache, start := newTokenCache(4), time.Unix(100, 0)
	token := func(name string, lasting time.Duration) {
		cache.put(name, identity.Token{Audience: name, ExpiresAt: start.Add(lasting)})
	}
	token("short", time.Second)
	token("long", time.Minute)
	cache.sweep(start.Add(time.Second))
	if _, ok := cache.get("long", []string{"long"}, start.Add(time.Second)); !ok || cache.entries.Len() != 1 {
		t.Errorf("%d tokens are left, and the one that holds is among them: %v", cache.entries.Len(), ok)
	}
}

func TestClaimsThatNoLongerCountAreSwept(t *testing.T) {
	claims, start := newClaimLimits(*defaultClaimLimits(), 10_000, func(string, bool) {}), time.Unix(100, 0)
	known := func() int { return claims.callers.Known() + claims.pairs.Known() + claims.targets.Known() }
	var caller, target identity.UserID
	for i := range byte(100) {
		caller[0], target[0] = i, i
		claims.allow(caller, target, start)
	}
	claims.sweep(start)
	if known() != 300 {
		t.Errorf("%d are left at once", known())
	}
	claims.sweep(start.Add(time.Hour))
	if known() != 0 {
		t.Errorf("%d are left after an hour", known())
	}
}

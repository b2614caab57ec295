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

package directory

import (
	"sync"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/slim"
)

// deviceCache holds the devices that were looked up last. A device that was read before an invalidation never enters it
// after: readers take the generation before they read the store.
//
// It is not golang-lru's expirable cache, whose goroutine can't be stopped and whose clock can't be set.
type deviceCache struct {
	mu         sync.Mutex
	entries    *slim.LRU[identity.DeviceID, cachedDevice]
	generation uint64
}

type cachedDevice struct {
	device Device
	readAt time.Time
}

func newDeviceCache(size int) *deviceCache {
	return &deviceCache{entries: slim.NewLRU[identity.DeviceID, cachedDevice](size)}
}

// get gives a device that was read at most maxAge before now, and the generation to read it again with.
func (c *deviceCache) get(id identity.DeviceID, now time.Time, maxAge time.Duration) (device Device, fresh bool, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.entries.Get(id)
	return entry.device, ok && entry.holds(now, maxAge), c.generation
}

func (d cachedDevice) holds(now time.Time, maxAge time.Duration) bool {
	age := now.Sub(d.readAt)
	return age >= 0 && age < maxAge
}

// sweep drops devices that would be read again anyway, of those that nobody has asked for since.
func (c *deviceCache) sweep(now time.Time, maxAge time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Sweep(func(d cachedDevice) bool { return !d.holds(now, maxAge) })
}

// put keeps a device that was read from the store at readAt, unless something was invalidated since generation.
func (c *deviceCache) put(device Device, readAt time.Time, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation == c.generation {
		c.entries.Add(device.ID, cachedDevice{device, readAt})
	}
}

func (c *deviceCache) invalidate(ids []identity.DeviceID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for _, id := range ids {
		c.entries.Remove(id)
	}
}

// Sweep drops what is too old to be believed: devices that were read a while ago, tokens that have expired, and claims that were made so long
// ago that they no longer count. It is called now and then.
func (d *Directory) Sweep() {
	now := d.options.Now()
	d.devices.sweep(now, d.options.LookAgain)
	d.tokens.sweep(now)
	d.claims.sweep(now)
}

// Forget has devices read from the store again: another node has removed them.
func (d *Directory) Forget(devices ...identity.DeviceID) { d.devices.invalidate(devices) }

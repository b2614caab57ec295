package directory

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/letterlock/letterlock/identity"
)

// deviceCache holds the devices that were looked up last. A device that was read before an invalidation never enters it
// after: readers take the generation before they read the store.
//
// It is not golang-lru's expirable cache, whose goroutine can't be stopped and whose clock can't be set.
type deviceCache struct {
	mu         sync.Mutex
	entries    *simplelru.LRU[identity.DeviceID, cachedDevice]
	generation uint64
}

type cachedDevice struct {
	device Device
	readAt time.Time
}

func newDeviceCache(size int) *deviceCache {
	entries, err := simplelru.NewLRU[identity.DeviceID, cachedDevice](size, nil)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &deviceCache{entries: entries}
}

// get gives a device that was read at most maxAge before now, and the generation to read it again with.
func (c *deviceCache) get(id identity.DeviceID, now time.Time, maxAge time.Duration) (device Device, fresh bool, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.entries.Get(id)
	age := now.Sub(entry.readAt)
	return entry.device, ok && age >= 0 && age < maxAge, c.generation
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

// Forget has devices read from the store again: another node has removed them.
func (d *Directory) Forget(devices ...identity.DeviceID) { d.devices.invalidate(devices) }

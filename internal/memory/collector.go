package memory

import (
	"runtime/debug"
	"runtime/metrics"
)

// collector is Go's.
type collector struct {
	least   int // GOGC, in percent
	samples []metrics.Sample
}

// reading is the state of the heap, in bytes.
type reading struct {
	allocated uint64 // since the process began
	live      uint64 // on the heap after the last collection
	scanned   uint64 // what GOGC is a share of: live, stacks and globals
}

func newCollector() collector {
	c := collector{least: debug.SetGCPercent(100)}
	debug.SetGCPercent(c.least)
	for _, name := range []string{"/gc/heap/allocs:bytes", "/gc/heap/live:bytes", "/gc/scan/stack:bytes", "/gc/scan/globals:bytes"} {
		c.samples = append(c.samples, metrics.Sample{Name: name})
	}
	return c
}

func (c *collector) read() reading {
	metrics.Read(c.samples)
	allocated, live := c.samples[0].Value.Uint64(), c.samples[1].Value.Uint64()
	return reading{allocated, live, live + c.samples[2].Value.Uint64() + c.samples[3].Value.Uint64()}
}

func (c *collector) setPercent(percent int) { debug.SetGCPercent(percent) }

// giveBack collects what is garbage, and returns all free memory to the system.
func (c *collector) giveBack() { debug.FreeOSMemory() }

// Package memory has the process collect garbage seldom while it is busy, and give memory back to the system once it is not.
//
// Go collects whenever the heap has grown by what lives in it. For a server whose state lies in a database that is a few
// megabytes: dozens of collections a second under load. And what was garbage stays with the process for minutes afterwards,
// although nobody needs it: ten thousand sockets cost more in what opening them left behind than in what they hold.
package memory

import (
	"sync"
	"time"
)

const (
	interval = time.Second
	// garbage may pile up so far before it is collected, or as far as GOGC says, if that is more.
	garbage = 64 << 20
	// smallHeap is what Go takes for live, if less is.
	smallHeap = 4 << 20
	// window is how many intervals the Keeper looks back.
	window = 8
	// growth of what lives by more than this, and than an eighth, within the window, halves both.
	growth      = 4 << 20
	growthShare = 8
	// little was allocated in the window if it is less than this, or than a quarter of what lives: the process is quiet.
	little      = 16 << 20
	littleShare = 4
	// rest is how many quiet intervals pass from one time that memory was given back to the next.
	rest = 10
	// worth giving back is more than this, and than an eighth of what lives.
	worth      = 4 << 20
	worthShare = 8
)

// Keeper is at work from Keep to Stop. A process has one at most: there is one collector.
type Keeper struct {
	collector collector
	ends      chan struct{}
	working   sync.WaitGroup

	percent   int             // as it is set now
	past      [window]reading // a ring
	looks     int
	givenBack uint64 // what was allocated in all when memory was given back last
	resting   int    // how many quiet intervals until it is given back again
}

// Keep starts to look after the process's memory. GOGC is heeded: where it is off, nothing is done.
func Keep() *Keeper {
	k := newKeeper()
	if k.collector.least >= 0 {
		k.working.Go(k.work)
	}
	return k
}

// Stop ends it, and leaves the collector as it was. A second call is a mistake.
func (k *Keeper) Stop() {
	close(k.ends)
	k.working.Wait()
	k.collector.setPercent(k.collector.least)
}

func newKeeper() *Keeper {
	k := &Keeper{collector: newCollector(), ends: make(chan struct{})}
	k.percent = k.collector.least
	now := k.collector.read()
	for i := range k.past {
		k.past[i] = now
	}
	return k
}

func (k *Keeper) work() {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		k.look()
		select {
		case <-ticker.C:
		case <-k.ends:
			return
		}
	}
}

// look does what has to be done in each interval.
func (k *Keeper) look() {
	now := k.collector.read()
	oldest := &k.past[k.looks%window]
	before := *oldest
	*oldest = now
	k.looks++
	k.pace(before, now)
	if now.allocated-before.allocated >= max(little, now.live/littleShare) {
		k.resting = 0
		return
	}
	k.resting--
	if k.resting <= 0 && now.allocated-k.givenBack > max(worth, now.live/worthShare) {
		k.collector.giveBack()
		k.givenBack, k.resting = now.allocated, rest
	}
}

// pace sets after how much garbage the next collection comes. While what lives grows it comes sooner: what comes to live among
// garbage keeps the pages that it lies in from being given back. Setting it stops the world for a moment, so that small
// differences are left alone.
func (k *Keeper) pace(before, now reading) {
	want, least := k.collector.least, uint64(garbage)
	if now.live > before.live+max(growth, before.live/growthShare) {
		want, least = want/2, least/2
	}
	want = max(want, int(100*least/max(now.scanned, smallHeap))) //nolint:gosec // 1,600 at most
	if diff := want - k.percent; diff < -k.percent/8 || diff > k.percent/8 {
		k.collector.setPercent(want)
		k.percent = want
	}
}

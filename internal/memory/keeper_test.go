package memory

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

const (
	mib = 1 << 20
	// looks are more than the Keeper looks back.
	looks = 12
)

// A burst's memory goes back to the system once it is over, and not while it lasts.
func TestMemoryIsGivenBackAfterABurst(t *testing.T) {
	k := keep(t)
	before := forced()
	for range looks {
		discard(20)
		k.look()
	}
	if n := forced() - before; n > 0 {
		t.Fatalf("%d collections were forced while the process was busy", n)
	}
	held := make([][]byte, 100)
	for i := range held {
		held[i] = touched()
	}
	k.look()
	runtime.KeepAlive(held)
	for range looks {
		k.look()
	}
	if kept := read("/memory/classes/heap/free:bytes") + read("/memory/classes/heap/objects:bytes"); kept > 20*mib {
		t.Errorf("the process still keeps %d MiB", kept/mib)
	}
	if released := read("/memory/classes/heap/released:bytes"); released < 90*mib {
		t.Errorf("%d MiB were given back", released/mib)
	}
	before = forced()
	for range 10 * looks {
		k.look()
	}
	if again := forced() - before; again > 0 {
		t.Errorf("%d collections were forced with nothing to give back", again)
	}
}

// What little comes together while nothing happens goes, too.
func TestMemoryIsGivenBackNowAndThen(t *testing.T) {
	k := keep(t)
	const times = 200
	before := forced()
	for range times {
		discard(1)
		k.look()
	}
	if n := forced() - before; n < times/20 || n > times/9 {
		t.Errorf("memory was given back %d times", n)
	}
}

// A small heap is collected seldom.
func TestGarbageMayPileUp(t *testing.T) {
	cycles := func() uint64 {
		before := read("/gc/cycles/automatic:gc-cycles")
		discard(200)
		return read("/gc/cycles/automatic:gc-cycles") - before
	}
	runtime.GC()
	without := cycles()
	k := keep(t)
	k.look()
	if with := cycles(); with == 0 || with > 10 || with > without/2 {
		t.Errorf("%d collections, without a Keeper %d", with, without)
	}
}

// While what lives grows, less garbage piles up.
func TestGrowthIsCollectedSooner(t *testing.T) {
	k := keep(t)
	room := func() float64 {
		runtime.GC()
		k.look()
		live := read("/gc/heap/live:bytes")
		return float64(read("/gc/heap/goal:bytes")-live) / float64(live)
	}
	var held [][]byte
	for len(held) < 200 {
		held = append(held, touched())
	}
	growing := room()
	for range looks {
		k.look()
	}
	grown := room()
	if growing > 0.6 || grown < 0.9 {
		t.Errorf("garbage may grow to %.2f of what lives meanwhile, and %.2f afterwards", growing, grown)
	}
	runtime.KeepAlive(held)
}

func TestGOGCIsHeededAndRestored(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	Keep().Stop()
	if now := debug.SetGCPercent(100_000); now != -1 {
		t.Errorf("GOGC was off, and is %d", now)
	}
	k := Keep()
	if during := debug.SetGCPercent(100_000); during != 100_000 {
		t.Errorf("GOGC was 100,000, and is %d meanwhile", during)
	}
	k.Stop()
	debug.SetGCPercent(100)
	Keep().Stop()
	if after := debug.SetGCPercent(100); after != 100 {
		t.Errorf("GOGC was 100, and is %d afterwards", after)
	}
}

// keep gives a Keeper that looks when it is told to.
func keep(t *testing.T) *Keeper {
	t.Helper()
	runtime.GC()
	k := newKeeper()
	t.Cleanup(k.Stop)
	return k
}

// forced is how many collections did not come by themselves.
func forced() uint64 { return read("/gc/cycles/forced:gc-cycles") }

// discard makes garbage.
func discard(n int) {
	for range n {
		touched()
	}
}

//go:noinline
func touched() []byte {
	b := make([]byte, mib)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	return b
}

// read reads one of the runtime's metrics.
func read(name string) uint64 {
	samples := []metrics.Sample{{Name: name}}
	metrics.Read(samples)
	return samples[0].Value.Uint64()
}

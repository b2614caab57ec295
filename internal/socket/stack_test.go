//go:build unix && !race

package socket_test

import (
	"runtime"
	"runtime/metrics"
	"testing"
)

// Who waits for a message takes less stack than Go begins a goroutine with. The race detector has frames of another size.
func TestIdleSocketTakesLittleStack(t *testing.T) {
	const (
		sockets = 200
		most    = 1120 // of 2 KiB: what is beyond is kept free for the runtime
	)
	r := newRig(t, nil)
	before := stackInUse()
	for range sockets {
		c := dialRaw(t, r.addr)
		c.say(t, `{"id":"1","type":"subscribe","payload":{"query":"`+subscription+`"}}`)
		<-r.sources
	}
	if each := (stackInUse() - before) / sockets; each > most {
		t.Errorf("%d bytes of stack are in use for each socket, %d at most are to be", each, most)
	}
}

// stackInUse is what of all stacks is in use.
func stackInUse() int {
	runtime.GC()
	samples := []metrics.Sample{{Name: "/gc/scan/stack:bytes"}}
	metrics.Read(samples)
	return int(samples[0].Value.Uint64())
}

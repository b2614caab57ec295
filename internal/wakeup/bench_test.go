package wakeup_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/testnats"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// bytesCodec is for messages of the size that small envelopes have.
type bytesCodec struct{}

func (bytesCodec) Size(m *[]byte) int                { return len(*m) }
func (bytesCodec) Append(b []byte, m *[]byte) []byte { return append(b, *m...) }
func (bytesCodec) Decode(b []byte) (*[]byte, error)  { return &b, nil }

// benchDevices is how many devices hints go to, in turn.
const benchDevices = 10_000

// benchBatch is how many hints a batch of the writer has.
const benchBatch = 64

func benchHub(b *testing.B, url string) *wakeup.NATS[[]byte] {
	b.Helper()
	hub, err := wakeup.NewNATS(wakeup.NATSOptions{URL: url, Store: 1, Log: slog.New(slog.DiscardHandler)}, bytesCodec{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { hub.Close(b.Context()) })
	return hub
}

func benchDevice(n int) (device identity.DeviceID) {
	binary.BigEndian.PutUint64(device[:], uint64(n)*0x9e3779b97f4a7c15)
	return device
}

func benchHints(n int) []wakeup.Hint[[]byte] {
	hints := make([]wakeup.Hint[[]byte], benchBatch)
	message := make([]byte, 350)
	for i := range hints {
		hints[i] = wakeup.Hint[[]byte]{Device: benchDevice((n + i) % benchDevices), Event: wakeup.Grown, Message: &message}
	}
	return hints
}

// What a hint costs the writer that gives it.
func BenchmarkNotify(b *testing.B) {
	hub := benchHub(b, testnats.Start(b).URL)
	for n := 0; b.Loop(); n += benchBatch {
		hub.Notify(benchHints(n)...)
		if n%(16*benchBatch) == 0 {
			hub.Settle(b)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchBatch, "ns/hint")
	b.ReportMetric(float64(hub.Stats().Dropped), "dropped")
}

// What a hint costs in all – this node, NATS, and another node, in one process – on its way to a listener.
func BenchmarkBetweenNodes(b *testing.B) {
	url := testnats.Start(b).URL
	one, two := benchHub(b, url), benchHub(b, url)
	for n := range benchDevices {
		defer two.Listen(benchDevice(n), func(wakeup.Hint[[]byte]) {})()
	}
	two.Settle(b)
	for n := 0; b.Loop(); n += benchBatch {
		one.Notify(benchHints(n)...)
		one.Settle(b)
		two.Settle(b)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchBatch, "ns/hint")
}

// What a device that listens costs its node beyond what it costs a node that is alone. NATS itself is not counted.
func BenchmarkListenMemory(b *testing.B) {
	nats := fakeNATS(b, func(lines *bufio.Scanner, conn net.Conn, _ <-chan struct{}) {
		for lines.Scan() {
			if lines.Text() == "PING" {
				_, _ = fmt.Fprint(conn, "PONG\r\n")
			}
		}
	})
	var alone, more float64
	for b.Loop() {
		local, hub := wakeup.NewLocal[[]byte](), benchHub(b, nats)
		alone = listenMemory(local, func() {})
		more = listenMemory(hub, func() { hub.Settle(b) }) - alone
		runtime.KeepAlive(local)
		hub.Close(b.Context())
	}
	b.ReportMetric(more, "B/device")
}

func listenMemory(hub wakeup.Node[[]byte], settle func()) float64 {
	before := heap()
	for n := range benchDevices {
		hub.Listen(benchDevice(n), func(wakeup.Hint[[]byte]) {})
	}
	settle()
	return float64(heap()-before) / benchDevices
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/letterlock/letterlock/internal/wakeup"
)

// nats reads all figures of a hub over NATS at one moment. A node that is alone has none of them: there a zero would look like
// a NATS that is away.
type nats struct {
	read                                func() wakeup.Stats
	connected, frames, dropped, damaged *prometheus.Desc
}

func newNATS(read func() wakeup.Stats) *nats {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "nats", name), help, labels, nil)
	}
	return &nats{
		read:      read,
		connected: desc("connected", "1 if this node is connected to NATS."),
		frames:    desc("frames_total", "Frames of wake-ups that were given to NATS, and that other nodes sent by it.", "direction"),
		dropped:   desc("hints_dropped_total", "Wake-ups that other nodes were not told of, since NATS was away or too slow."),
		damaged:   desc("frames_damaged_total", "Frames that came by NATS and could not be read."),
	}
}

// Describe is for Prometheus.
func (n *nats) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(n, out) }

// Collect is for Prometheus.
func (n *nats) Collect(out chan<- prometheus.Metric) {
	now, connected := n.read(), 0.0
	if now.Connected {
		connected = 1
	}
	out <- prometheus.MustNewConstMetric(n.connected, prometheus.GaugeValue, connected)
	out <- prometheus.MustNewConstMetric(n.frames, prometheus.CounterValue, float64(now.Received), "in")
	out <- prometheus.MustNewConstMetric(n.frames, prometheus.CounterValue, float64(now.Sent), "out")
	out <- prometheus.MustNewConstMetric(n.dropped, prometheus.CounterValue, float64(now.Dropped))
	out <- prometheus.MustNewConstMetric(n.damaged, prometheus.CounterValue, float64(now.Damaged))
}

package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/letterlock/letterlock/internal/wakeup"
)

// State is what is looked at whenever somebody asks for the metrics. Each function is called by several goroutines.
type State struct {
	// Ready tells whether the server can work.
	Ready func() bool
	// Queue is how much waits for the writer.
	Queue func() int
	// Subscriptions and Sockets are how many are open.
	Subscriptions, Sockets func() int
	// QueuedBytes wait on sockets, SlowSockets counts those that were closed for it.
	QueuedBytes func() int64
	SlowSockets func() uint64
	// Opening is what is worked on to open sockets and event streams.
	Opening     func() Opening
	Connections func() Connections
	// Fullness is how much lies in the store, and whether that is known.
	Fullness func() (Fullness, bool)
	// NATS tells of the way to other nodes; nil on a node that is alone.
	NATS func() wakeup.Stats
	// CertificateDays is how long the certificates last; nil on a node that speaks no TLS.
	CertificateDays func() float64
}

// Opening is how many are worked on, how many wait for their turn, and how many were told when to come again.
type Opening struct {
	Working, Waiting int
	SentAway         uint64
}

// Connections is how the database's pool stands.
type Connections struct {
	InUse, Idle, Max int
	// Waits counts those who had to wait for a connection, and Waited is for how long.
	Waits  int64
	Waited time.Duration
}

// Watch adds the state of a server, once.
func (m *Metrics) Watch(s State) {
	add := factory{m.registry}
	add.gauge("ready", "1 if the server takes work: the database answers, messages could be stored, and nobody has told it to stop.", func() float64 {
		if s.Ready() {
			return 1
		}
		return 0
	})
	number := func(read func() int) func() float64 { return func() float64 { return float64(read()) } }
	add.gauge("queue_depth", "How much waits for the writer now, in sends and acknowledgements.", number(s.Queue))
	add.gauge("subscriptions_open", "Subscriptions to mailboxes that are open now.", number(s.Subscriptions))
	add.gauge("sockets_open", "WebSockets that are open now.", number(s.Sockets))
	add.gauge("sockets_queued_bytes", "Bytes that wait on all WebSockets until their clients take them.",
		func() float64 { return float64(s.QueuedBytes()) })
	add.count("sockets_slow_total", "WebSockets that were closed since their clients took nothing for too long.",
		func() float64 { return float64(s.SlowSockets()) })
	add.gauge("sockets_opening", "WebSockets and event streams that are worked on now to open them.",
		func() float64 { return float64(s.Opening().Working) })
	add.gauge("sockets_waiting", "WebSockets and event streams that wait for their turn to be opened.",
		func() float64 { return float64(s.Opening().Waiting) })
	add.count("sockets_sent_away_total", "WebSockets and event streams that were told when to come again, since too many were being opened.",
		func() float64 { return float64(s.Opening().SentAway) })
	m.registry.MustRegister(newPool(s.Connections), newFullness(s.Fullness))
	if s.NATS != nil {
		m.registry.MustRegister(newNATS(s.NATS))
	}
	if s.CertificateDays != nil {
		add.gauge("certificate_days", "Days until the first of the server's certificates expires; 0 if one is missing.", s.CertificateDays)
	}
}

// pool reads all figures of a pool at one moment.
type pool struct {
	read                    func() Connections
	open, most, waits, time *prometheus.Desc
}

func newPool(read func() Connections) *pool {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "database", name), help, labels, nil)
	}
	return &pool{
		read:  read,
		open:  desc("connections", "Connections to the database, by what they do.", "state"),
		most:  desc("connections_max", "How many connections to the database there may be; 0 is without a bound."),
		waits: desc("connection_waits_total", "How often somebody had to wait for a connection to the database."),
		time:  desc("connection_wait_seconds_total", "How long was waited for connections to the database, in all."),
	}
}

// Describe is for Prometheus.
func (p *pool) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(p, out) }

// Collect is for Prometheus.
func (p *pool) Collect(out chan<- prometheus.Metric) {
	now := p.read()
	out <- prometheus.MustNewConstMetric(p.open, prometheus.GaugeValue, float64(now.InUse), "in_use")
	out <- prometheus.MustNewConstMetric(p.open, prometheus.GaugeValue, float64(now.Idle), "idle")
	out <- prometheus.MustNewConstMetric(p.most, prometheus.GaugeValue, float64(now.Max))
	out <- prometheus.MustNewConstMetric(p.waits, prometheus.CounterValue, float64(now.Waits))
	out <- prometheus.MustNewConstMetric(p.time, prometheus.CounterValue, now.Waited.Seconds())
}

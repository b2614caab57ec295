package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Fullness is how much lies in the store. Free is negative where it is not known.
type Fullness struct {
	Messages, MessageBytes, Bytes, Free int64
}

// fullness reads all figures at one moment.
type fullness struct {
	read                                func() (Fullness, bool)
	messages, messageBytes, bytes, free *prometheus.Desc
}

func newFullness(read func() (Fullness, bool)) *fullness {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "store", name), help, nil, nil)
	}
	return &fullness{
		read:         read,
		messages:     desc("messages_waiting", "Messages that wait in all mailboxes of the store; with PostgreSQL as its statistics estimate."),
		messageBytes: desc("messages_waiting_bytes", "What they take: their ciphertext with SQLite, their table with its indexes with PostgreSQL."),
		bytes:        desc("bytes", "How large the database is, on disk."),
		free:         desc("disk_free_bytes", "What is left on the disk of the embedded database. Without it the database is another machine's."),
	}
}

// Describe is for Prometheus.
func (f *fullness) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{f.messages, f.messageBytes, f.bytes, f.free} {
		out <- desc
	}
}

// Collect is for Prometheus. A store that can't be asked has no figures.
func (f *fullness) Collect(out chan<- prometheus.Metric) {
	now, known := f.read()
	if !known {
		return
	}
	give := func(desc *prometheus.Desc, n int64) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n))
	}
	give(f.messages, now.Messages)
	give(f.messageBytes, now.MessageBytes)
	give(f.bytes, now.Bytes)
	if now.Free >= 0 {
		give(f.free, now.Free)
	}
}

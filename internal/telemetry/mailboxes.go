package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/letterlock/letterlock/internal/mailbox"
)

// Mailboxes counts what a mailbox.Service does.
type Mailboxes struct {
	depth, wait           prometheus.Histogram
	works, envelopes      prometheus.Histogram
	commits               map[mailbox.Outcome]prometheus.Observer
	accepted, full        prometheus.Counter
	acknowledged, expired prometheus.Counter

	pages            prometheus.Histogram
	reads, failedOne prometheus.Observer

	delivered prometheus.Counter
	lag       prometheus.Histogram
}

var _ mailbox.Observer = (*Mailboxes)(nil)

func newMailboxes(add factory) *Mailboxes {
	commits := add.histograms("commit_duration_seconds",
		"How long a transaction of the writer took, from its begin to the end of its commit, by how it ended.", seconds(), "outcome")
	reads := add.histograms("page_read_duration_seconds",
		"How long reading a page of a mailbox from the store took, by how it ended.", seconds(), "outcome")
	m := &Mailboxes{
		depth: add.histogram("queue_depth_at_take",
			"How much waited for the writer when it took its next batch, in sends and acknowledgements.", counts(8192)),
		wait: add.histogram("queue_wait_seconds", "How long a send or an acknowledgement waited until the writer took it.", seconds()),
		works: add.histogram("commit_batch_works",
			"How many sends and acknowledgements shared a transaction.", counts(512)),
		envelopes: add.histogram("commit_batch_envelopes", "How many envelopes shared a transaction.", counts(1024)),
		commits:   map[mailbox.Outcome]prometheus.Observer{},

		accepted:     add.counter("envelopes_accepted_total", "Envelopes that were committed to a mailbox."),
		full:         add.counter("envelopes_mailbox_full_total", "Envelopes that were not stored since their mailbox was full, in all or for the sender."),
		acknowledged: add.counter("messages_acknowledged_total", "Messages that were deleted since their device acknowledged them."),
		expired:      add.counter("messages_expired_total", "Messages that were deleted since nobody fetched them in time."),

		pages:     add.histogram("page_read_messages", "How many messages a page held that was read from the store.", counts(128)),
		reads:     reads.WithLabelValues("ok"),
		failedOne: reads.WithLabelValues("failed"),

		delivered: add.counter("messages_delivered_total", "Messages that were handed to a subscription."),
		lag: add.histogram("delivery_lag_seconds",
			"From the acceptance of a message to its being handed to a subscription that was open by then, by the clocks of both nodes.", seconds()),
	}
	for _, outcome := range mailbox.Outcomes() {
		m.commits[outcome] = commits.WithLabelValues(string(outcome))
	}
	return m
}

// Taken is called when the writer takes a batch.
func (m *Mailboxes) Taken(waiting int) { m.depth.Observe(float64(waiting)) }

// Waited is called for each piece of work in it.
func (m *Mailboxes) Waited(d time.Duration) { m.wait.Observe(d.Seconds()) }

// Attempted is called when a transaction has ended.
func (m *Mailboxes) Attempted(a mailbox.Attempt) {
	m.commits[a.Outcome].Observe(a.Took.Seconds())
	if a.Works > 0 {
		m.works.Observe(float64(a.Works))
		m.envelopes.Observe(float64(a.Envelopes))
	}
	m.accepted.Add(float64(a.Accepted))
	m.full.Add(float64(a.Full))
	m.acknowledged.Add(float64(a.Acknowledged))
}

// PageRead is called when the store has been read.
func (m *Mailboxes) PageRead(messages int, took time.Duration, failed bool) {
	if failed {
		m.failedOne.Observe(took.Seconds())
		return
	}
	m.reads.Observe(took.Seconds())
	m.pages.Observe(float64(messages))
}

// Delivered is called for each message that a subscription gets. What had waited for the subscription has no lag: its device
// was away.
func (m *Mailboxes) Delivered(lag time.Duration, live bool) {
	m.delivered.Inc()
	if live {
		m.lag.Observe(lag.Seconds())
	}
}

// Expired is called when messages were deleted.
func (m *Mailboxes) Expired(messages int) { m.expired.Add(float64(messages)) }

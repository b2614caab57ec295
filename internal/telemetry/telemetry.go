// Package telemetry counts what the server does, for Prometheus, and serves the counts beside Go's profiles. It knows numbers
// alone: nothing in it names a user, a device or a message, and every label has a few values that are known beforehand.
//
// The parts of the server do not know it. They define what they want to tell, as narrow interfaces, and telemetry has them.
package telemetry

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// namespace is what the names of all our own metrics begin with.
const namespace = "letterlock"

// Options say what the metrics are of.
type Options struct {
	// Version is the server's.
	Version string
	// Codes are the error codes that callers may be given. Any other is counted as OTHER.
	Codes []string
}

// Metrics are the metrics of one server. Its parts are safe for concurrent use.
type Metrics struct {
	// Mailboxes is a mailbox.Observer.
	Mailboxes *Mailboxes
	// Directory is a directory.Observer, and counts what limits were met.
	Directory Directory
	// Refusals counts the errors that callers were given.
	Refusals *Refusals
	// Requests counts HTTP requests.
	Requests *Requests
	// Operations is an extension of gqlgen.
	Operations *Operations

	wakeups  *wakeups
	registry *prometheus.Registry
}

// New makes Metrics, all at zero, in a registry of their own.
func New(options Options) *Metrics {
	registry := prometheus.NewRegistry()
	add := factory{registry}
	codes := newCodes(options.Codes)
	build := add.gauges("build_info", "Always 1; the labels say what runs.", "version", "go_version")
	build.WithLabelValues(options.Version, runtime.Version()).Set(1)
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return &Metrics{
		Mailboxes:  newMailboxes(add),
		Directory:  Directory{newTokens(add), newLimits(add)},
		Refusals:   newRefusals(add, codes),
		Requests:   newRequests(add),
		Operations: newOperations(add, codes),
		wakeups:    newWakeups(add),
		registry:   registry,
	}
}

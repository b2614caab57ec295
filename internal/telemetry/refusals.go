package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Values of the label code besides the error codes.
const (
	codeOK    = "OK"
	codeOther = "OTHER"
)

// codes are the known error codes. What is not among them does not become a label.
type codes map[string]bool

func newCodes(list []string) codes {
	known := make(codes, len(list))
	for _, code := range list {
		known[code] = true
	}
	return known
}

func (c codes) label(code string) string {
	if c[code] {
		return code
	}
	return codeOther
}

// Refusals counts errors by their code.
type Refusals struct {
	codes codes
	count *prometheus.CounterVec
}

// newRefusals starts each code at zero, so that the first error of a kind shows as a rise.
func newRefusals(add factory, known codes) *Refusals {
	r := &Refusals{codes: known, count: add.counters("refusals_total",
		"Errors that callers were given, over HTTP, WebSockets and event streams, by code.", "code")}
	for code := range known {
		r.count.WithLabelValues(code)
	}
	return r
}

// Refused counts one error.
func (r *Refusals) Refused(code string) { r.count.WithLabelValues(r.codes.label(code)).Inc() }

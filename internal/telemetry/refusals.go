package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

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

// of gives the label of an error as callers are given it.
func (c codes) of(err *gqlerror.Error) string {
	code, _ := err.Extensions["code"].(string)
	return c.label(code)
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

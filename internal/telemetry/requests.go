package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// classes are the classes of HTTP statuses, by their first digit.
var classes = [...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}

// Requests counts HTTP requests.
type Requests struct {
	answered *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

func newRequests(add factory) *Requests {
	return &Requests{
		answered: add.counters("http_requests_total",
			"HTTP requests, by route and class of status. A WebSocket is one of class 1xx.", "route", "status"),
		took: add.histograms("http_request_duration_seconds",
			"How long HTTP requests took, by route; without WebSockets and event streams, which last.", seconds(), "route"),
	}
}

// Answered counts a request. route is a pattern of the server's own, never a path that somebody asked for.
func (r *Requests) Answered(route string, status int) {
	class := classes[0]
	if i := status / 100; i > 0 && i < len(classes) {
		class = classes[i]
	}
	r.answered.WithLabelValues(route, class).Inc()
}

// Took notes how long a request took.
func (r *Requests) Took(route string, d time.Duration) {
	r.took.WithLabelValues(route).Observe(d.Seconds())
}

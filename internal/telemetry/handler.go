package telemetry

import (
	"log/slog"
	"net/http"
	"net/http/pprof" // #nosec G108 -- it also registers on http.DefaultServeMux, which nobody serves

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// scrapesAtOnce bounds how many may ask for the metrics at a time; more than two Prometheus servers are rare.
	scrapesAtOnce = 4
	// maxSymbols bounds the addresses that one request may ask the names of.
	maxSymbols = 1 << 20
)

const index = `The metrics and profiles of a Letterlock server. Keep this address private.

  /metrics        for Prometheus
  /debug/pprof/   for go tool pprof
`

// Handler serves the metrics and Go's profiles.
//
// The profile cmdline is left out: a command line may hold the password of the database.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: scrapesAtOnce, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	symbol := http.MaxBytesHandler(http.HandlerFunc(pprof.Symbol), maxSymbols)
	mux.Handle("GET /debug/pprof/symbol", symbol)
	mux.Handle("POST /debug/pprof/symbol", symbol)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(index)) // A caller who is gone needs no answer.
	})
	return mux
}

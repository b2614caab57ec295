package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/pprof" // #nosec G108 -- it also registers on http.DefaultServeMux, which nobody serves
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// scrapesAtOnce bounds how many may ask for the metrics at a time; more than two Prometheus servers are rare.
	scrapesAtOnce = 4
	// maxSymbols bounds the addresses that one request may ask the names of.
	maxSymbols = 1 << 20
	// longestProfile is how long a profile may run, whatever was asked for; then it ends and is sent.
	longestProfile = 2 * time.Minute
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
	mux.Handle("GET /debug/pprof/", bounded(pprof.Index, longestProfile))
	mux.Handle("GET /debug/pprof/profile", bounded(pprof.Profile, longestProfile))
	mux.Handle("GET /debug/pprof/trace", bounded(pprof.Trace, longestProfile))
	symbol := http.MaxBytesHandler(http.HandlerFunc(pprof.Symbol), maxSymbols)
	mux.Handle("GET /debug/pprof/symbol", symbol)
	mux.Handle("POST /debug/pprof/symbol", symbol)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(index)) // A caller who is gone needs no answer.
	})
	return mux
}

// bounded ends a profile after the longest time. pprof itself moves the server's deadline as far as it is asked to.
func bounded(profile http.HandlerFunc, longest time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), longest)
		defer cancel()
		profile(w, r.WithContext(ctx))
	})
}

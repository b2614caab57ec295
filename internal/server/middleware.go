package server

import (
	"bufio"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/letterlock/letterlock/internal/failure"
)

// secured sets what every answer tells browsers.
func secured(next http.Handler) http.Handler {
	// The slices are shared by all answers: who wants another value sets another slice.
	always := http.Header{
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"no-referrer"},
		"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Permissions-Policy":           {noPermissions},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), always)
		next.ServeHTTP(w, r)
	})
}

// framed has a connection end with a request whose body came in chunks. net/http forgets whether it had a Content-Length as
// well, by which a proxy in front may have found another end: what the proxy takes for the rest of the body must not be
// taken for the next request (RFC 9112, 6.1).
func framed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// recovering answers a panic of a handler as a defect.
func (s *Server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			fault := recover()
			if fault == nil {
				return
			}
			if fault == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(fault)
			}
			s.present.Write(r.Context(), w, http.StatusInternalServerError, "application/json; charset=utf-8",
				failure.Recover(r.Context(), fault))
		}()
		next.ServeHTTP(w, r)
	})
}

// measuring counts requests. Who lasts, a WebSocket or an event stream, has no duration.
func (s *Server) measuring(next http.Handler) http.Handler {
	requests := s.metrics.Requests
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		seen := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		route := routeOf(r)
		requests.Answered(route, seen.status)
		if seen.status != http.StatusSwitchingProtocols && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
			requests.Took(route, time.Since(start))
		}
	})
}

// routeOf gives the path of the pattern that the mux has found, which is one of a few.
func routeOf(r *http.Request) string {
	_, path, found := strings.Cut(r.Pattern, "/")
	if !found {
		return "none"
	}
	return "/" + path
}

// logging writes a line for each request at debug level: never a query, a header, or who it was.
func (s *Server) logging(next http.Handler) http.Handler {
	log := s.config.Log
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !log.Enabled(r.Context(), slog.LevelDebug) {
			next.ServeHTTP(w, r)
			return
		}
		start := time.Now()
		seen := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		log.DebugContext(r.Context(), "request",
			"method", r.Method, "path", r.URL.Path, "status", seen.status, "bytes", seen.bytes, "duration", time.Since(start))
	})
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int
}

// WriteHeader remembers the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write counts bytes.
func (r *recorder) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	r.bytes += n
	return n, err
}

// Hijack is how a WebSocket takes the connection over.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r.status = http.StatusSwitchingProtocols
	return http.NewResponseController(r.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

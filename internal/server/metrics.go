package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/telemetry"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// exporter serves metrics and profiles on an address of its own. A nil exporter does nothing.
type exporter struct {
	listener net.Listener
}

func listenMetrics(ctx context.Context, config Config) (*exporter, error) {
	if config.MetricsAddr == "" {
		return nil, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", config.MetricsAddr)
	if err != nil {
		return nil, fmt.Errorf("LETTERLOCK_METRICS_ADDR: %w", err)
	}
	return &exporter{listener}, nil
}

// serve answers until stop is called. That cuts off who is in the middle of a profile.
func (e *exporter) serve(metrics *telemetry.Metrics, log *slog.Logger) (stop func()) {
	if e == nil {
		return func() {}
	}
	server := &http.Server{
		Handler:           metrics.Handler(log),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second, // a profile adds its own time to it
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(e.listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are not served any more", "error", err)
		}
	}()
	return func() {
		_ = server.Close() // closes the listener, too
		<-done
	}
}

func (e *exporter) close() {
	if e != nil {
		_ = e.listener.Close()
	}
}

// MetricsAddr is where the server listens for those who ask for metrics; nil if it does not.
func (s *Server) MetricsAddr() net.Addr {
	if s.exporter == nil {
		return nil
	}
	return s.exporter.listener.Addr()
}

// newMetrics makes metrics that know every error code of the schema.
func newMetrics(version string) *telemetry.Metrics {
	codes := make([]string, 0, len(model.AllErrorCode))
	for _, code := range model.AllErrorCode {
		codes = append(codes, code.String())
	}
	return telemetry.New(telemetry.Options{Version: version, Codes: codes})
}

// watch adds to the metrics what is looked at when somebody asks.
func (s *Server) watch() {
	state := telemetry.State{
		Ready: s.ready, Queue: s.mailboxes.Waiting, Subscriptions: s.mailboxes.Subscriptions, Sockets: s.sockets.Open,
		QueuedBytes: s.sockets.Queued, SlowSockets: s.sockets.Slow, Connections: s.connections,
	}
	if hub, several := s.hub.(*wakeup.NATS[mailbox.Message]); several {
		state.NATS = hub.Stats
	}
	s.metrics.Watch(state)
}

// ready tells what /readyz would say.
func (s *Server) ready() bool {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	return !s.stopping.Load() && s.db.Ping(ctx) == nil && !s.mailboxes.Failing()
}

// connections gives how the database's pool stands.
func (s *Server) connections() telemetry.Connections {
	if s.db.Pool != nil {
		pool := s.db.Pool.Stat()
		return telemetry.Connections{
			InUse: int(pool.AcquiredConns()), Idle: int(pool.IdleConns()), Max: int(pool.MaxConns()),
			Waits: pool.EmptyAcquireCount(), Waited: pool.EmptyAcquireWaitTime(),
		}
	}
	pool := s.db.SQL.Stats()
	return telemetry.Connections{
		InUse: pool.InUse, Idle: pool.Idle, Max: pool.MaxOpenConnections, Waits: pool.WaitCount, Waited: pool.WaitDuration,
	}
}

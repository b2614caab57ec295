package server

import (
	"context"
	"net"
	"net/http"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/telemetry"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// MetricsAddr is where the server listens for those who ask for metrics; nil if it does not.
func (s *Server) MetricsAddr() net.Addr { return s.exporter.addr() }

// exporting is the HTTP server for that.
func (s *Server) exporting() *http.Server { return s.sideServer(s.metrics.Handler(s.config.Log)) }

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
		Opening:  func() telemetry.Opening { return telemetry.Opening(s.sockets.Opening()) },
		Fullness: (&fullness{look: s.db.Fullness}).read,
	}
	if s.certificates != nil {
		state.CertificateDays = s.certificateDays
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

// crowded tells the operator that many connect at the same time, as after a restart.
func (s *Server) crowded(waiting int) {
	s.config.Log.Info("many sockets are being opened at once: they get in one after the other, or are told when to come again",
		"waiting", waiting, "opening", s.config.Limits.MaxOpeningSockets)
}

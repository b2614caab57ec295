package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/places"
)

// Limits counts how often limits were met, by which and not by whom.
type Limits struct{ count *prometheus.CounterVec }

// Values of the label scope.
const (
	scopeNode = "node"
	scopeAll  = "all"
)

// newLimits starts each limit at zero, so that the first who meets one shows as a rise.
func newLimits(add factory) *Limits {
	l := &Limits{add.counters("limits_met_total",
		"How often a limit was met, as this node counts (node) or as all nodes do together (all).", "limit", "scope")}
	for _, limit := range []string{
		caller.LimitOperations, caller.LimitSockets, caller.LimitRegistrations, caller.LimitDeviceOperations,
		places.LimitOpen, places.LimitOpenOfAddress, places.LimitConnections, places.LimitConnectionsOfAddress,
		directory.LimitClaims, directory.LimitClaimsOfPair, directory.LimitClaimsOfUser,
	} {
		l.count.WithLabelValues(limit, scopeNode)
	}
	for _, limit := range []string{caller.LimitRegistrations, directory.LimitClaimsOfPair, directory.LimitClaimsOfUser} {
		l.count.WithLabelValues(limit, scopeAll)
	}
	return l
}

// Limited counts one.
func (l *Limits) Limited(limit string, allNodes bool) {
	scope := scopeNode
	if allNodes {
		scope = scopeAll
	}
	l.count.WithLabelValues(limit, scope).Inc()
}

// Directory is a directory.Observer.
type Directory struct {
	*Tokens
	*Limits
}

var _ directory.Observer = Directory{}

package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Tokens counts how often a device token was known already.
type Tokens struct{ hits, misses prometheus.Counter }

func newTokens(add factory) *Tokens {
	looked := add.counters("token_cache_total", "Device tokens that were presented, by whether their signature was known to be good.", "result")
	return &Tokens{hits: looked.WithLabelValues("hit"), misses: looked.WithLabelValues("miss")}
}

// TokenLookedUp counts one token.
func (t *Tokens) TokenLookedUp(known bool) {
	if known {
		t.hits.Inc()
	} else {
		t.misses.Inc()
	}
}

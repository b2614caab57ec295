package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// costs are what one of something takes. Durations are in seconds, memory in bytes.
type costs struct {
	messageServer, messageDatabase   float64 // a message, one a request over a socket
	envelopeServer, envelopeDatabase float64 // an envelope of sendMessages
	connect                          float64 // of the server, for a connection, a token and a subscription
	socket                           float64 // memory of the server
	backlog                          float64 // envelopes a second

	hint, hintNode, hintNATS float64 // a hint that nobody wants; a device that listens: on its node, on a NATS server
	remembered               float64 // bytes in PostgreSQL for an id
}

// measuredElsewhere are figures that bench does not write: docs/decisions.md (NATS), bench soak (ids).
var measuredElsewhere = costs{hint: 1.5e-6, hintNode: 443, hintNATS: 0.7 * 1024, remembered: 224}

// readCosts reads what bench has written.
func readCosts(path string) (costs, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the file that was asked for
	if err != nil {
		return costs{}, err
	}
	var file struct {
		Scenarios map[string]map[string]map[string]struct {
			Median float64 `json:"median"`
		} `json:"scenarios"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return costs{}, fmt.Errorf("%s: %w", path, err)
	}
	c := measuredElsewhere
	var missing []error
	for _, f := range []struct {
		to                  *float64
		scenario, name, key string
	}{
		{&c.messageServer, "live", "postgresql, socket", "server_cpu"},
		{&c.messageDatabase, "live", "postgresql, socket", "database_cpu"},
		{&c.envelopeServer, "many", "postgresql, live receivers", "server_cpu"},
		{&c.envelopeDatabase, "many", "postgresql, live receivers", "database_cpu"},
		{&c.connect, "idle", "postgresql", "connect_cpu"},
		{&c.socket, "idle", "postgresql", "live"},
		{&c.backlog, "backlog", "postgresql", "caught_up_per_second"},
	} {
		if *f.to = file.Scenarios[f.scenario][f.name][f.key].Median; *f.to <= 0 {
			missing = append(missing, fmt.Errorf("%s: no figure for %s / %s / %s: run all of bench", path, f.scenario, f.name, f.key))
		}
	}
	return c, errors.Join(missing...)
}

// markdown says what one core and one GiB carry.
func (c costs) markdown() string {
	var b strings.Builder
	row := func(format string, values ...any) { _, _ = fmt.Fprintf(&b, format+"\n", values...) }
	row("| | one costs | a core, or a GiB, carries |")
	row("| --- | --- | --- |")
	core := func(name string, cost float64) {
		row("| %s | %s | %s/s |", name, microseconds(cost), grouped(1/cost))
	}
	memory := func(name string, cost float64) {
		row("| %s | %s B | %s |", name, grouped(cost), grouped((1<<30)/cost))
	}
	core("message, one a request, live: server", c.messageServer)
	core("the same: PostgreSQL", c.messageDatabase)
	core("envelope of `sendMessages`, live: server", c.envelopeServer)
	core("the same: PostgreSQL", c.envelopeDatabase)
	core("connection, token and subscription: server", c.connect)
	row("| envelope of a backlog, whole machine | – | %s/s |", grouped(c.backlog))
	memory("idle subscription: server", c.socket)
	memory("device that listens by NATS: server", c.hintNode)
	memory("the same: NATS server", c.hintNATS)
	core("hint that nobody waits for: node and NATS", c.hint)
	memory("remembered id: PostgreSQL, for seven days", c.remembered)
	return b.String()
}

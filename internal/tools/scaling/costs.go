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
	log                      float64 // bytes that PostgreSQL writes to its log for a message
}

// hintElsewhere is the one figure that bench does not write: BenchmarkNotify of internal/wakeup has it.
const hintElsewhere = 1.5e-6

// figures are what bench has written.
type figures struct {
	path      string
	scenarios map[string]map[string]map[string]figure
	missing   []error
}

type figure struct{ Median, Low, High float64 }

// readFigures reads them.
func readFigures(path string) (*figures, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the file that was asked for
	if err != nil {
		return nil, err
	}
	var file struct {
		Scenarios map[string]map[string]map[string]figure `json:"scenarios"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &figures{path: path, scenarios: file.Scenarios}, nil
}

// get gives one, which has to be there. It may be 0 where it is a share.
func (f *figures) get(scenario, name, key string) figure {
	found, ok := f.scenarios[scenario][name][key]
	if !ok {
		f.missing = append(f.missing, fmt.Errorf("%s: no figure for %s / %s / %s: run all of bench", f.path, scenario, name, key))
	}
	return found
}

// cost gives the median of one that cannot be 0.
func (f *figures) cost(scenario, name, key string) float64 {
	found := f.get(scenario, name, key).Median
	if found <= 0 && len(f.missing) == 0 {
		f.missing = append(f.missing, fmt.Errorf("%s: %s / %s / %s is %v", f.path, scenario, name, key, found))
	}
	return found
}

// costs gives what one of something takes.
func (f *figures) costs() (costs, error) {
	c := costs{
		messageServer:    f.cost("live", "postgresql, socket", "server_cpu"),
		messageDatabase:  f.cost("live", "postgresql, socket", "database_cpu"),
		envelopeServer:   f.cost("many", "postgresql, live receivers", "server_cpu"),
		envelopeDatabase: f.cost("many", "postgresql, live receivers", "database_cpu"),
		connect:          f.cost("idle", "postgresql", "connect_cpu"),
		socket:           f.cost("idle", "postgresql", "live"),
		backlog:          f.cost("backlog", "postgresql, 100,000", "caught_up_per_second"),
		hint:             hintElsewhere,
		hintNode:         f.cost("idle", "postgresql, NATS", "live") - f.cost("idle", "postgresql", "live"),
		hintNATS:         f.cost("idle", "postgresql, NATS", "nats_resident"),
		remembered:       f.cost("live", "postgresql, socket", "remembered"),
		log:              f.cost("live", "postgresql, socket", "log"),
	}
	if len(f.missing) == 0 && c.hintNode <= 0 {
		f.missing = append(f.missing, fmt.Errorf("%s: a connection takes less with NATS than without", f.path))
	}
	return c, errors.Join(f.missing...)
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
	memory("the same: NATS server, resident", c.hintNATS)
	core("hint that nobody waits for: node and NATS (not of this run)", c.hint)
	memory("remembered id, where each message has one: PostgreSQL, for seven days", c.remembered)
	memory("write-ahead log of a message, one a request: PostgreSQL", c.log)
	return b.String()
}

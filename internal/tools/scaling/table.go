package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// assumptions are guesses about use and machines. None was measured.
type assumptions struct {
	nodes         []int
	devices       float64 // connected to a node
	perMinute     float64 // messages a connected device is sent in the busiest minute
	average       float64 // of the week, as a share of the busiest minute
	databaseCores float64 // of one PostgreSQL server
	databaseDisk  float64 // bytes of one PostgreSQL server that remembered ids may take
	load          float64 // share of its cores that a database is to use in the busiest minute
	room          float64 // memory that Go takes for a byte that is in use, as it collects garbage by default
	hintBytes     float64 // of a hint with a message of 256 bytes
	within        float64 // seconds in which the devices of a node that is gone are to be connected again
}

var assumed = assumptions{
	nodes: []int{1, 3, 10, 30, 100, 300, 1000}, devices: 100_000, perMinute: 1, average: 0.33, databaseCores: 16, databaseDisk: 2 << 40, load: 0.5,
	room: 2, hintBytes: 600, within: 60,
}

// estimate is a line of the table, for the busiest minute.
type estimate struct {
	nodes                  int
	devices, messages      float64 // in all; a second
	nodeCores              float64 // busy on one node
	nodeMemory             float64 // of one node's sockets
	databaseCores, servers float64 // busy in all; PostgreSQL servers, by cores
	disks                  float64 // PostgreSQL servers, by what ids take
	remembered             float64 // bytes, in all
	log                    float64 // bytes a second, in all
	hints                  float64 // a second between nodes
	hintBits               float64 // a second, in all
	natsMemory             float64 // of one NATS server, if all know of every device
	reconnects             float64 // a second on each node left, when one is gone
}

func (a assumptions) estimate(c costs, nodes int) estimate {
	n := float64(nodes)
	e := estimate{nodes: nodes, devices: n * a.devices}
	e.messages = e.devices * a.perMinute / 60
	e.nodeMemory = a.devices * c.socket * a.room
	e.databaseCores = e.messages * c.messageDatabase
	e.servers = math.Ceil(e.databaseCores / (a.databaseCores * a.load))
	e.remembered = e.messages * a.average * 7 * 86400 * c.remembered
	e.log = e.messages * c.log
	e.disks = math.Ceil(e.remembered / a.databaseDisk)
	e.nodeCores = e.messages / n * c.messageServer
	if nodes > 1 {
		e.hints = e.messages * (n - 1) / n
		e.hintBits = e.hints * a.hintBytes * 8
		e.nodeCores += e.hints / n * c.hint
		e.nodeMemory += a.devices * c.hintNode * a.room
		e.natsMemory = e.devices * c.hintNATS
		e.reconnects = a.devices / (n - 1) / a.within
	}
	return e
}

func (a assumptions) markdown(c costs) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "Assumed, not measured: D = %s connected devices a node, each sent m = %s messages in the busiest minute, a = %s of that on the average of a week, PostgreSQL servers of K = %s cores used to L = %s, S = %s on each for remembered ids, "+
		"g = %s bytes of memory for one in use, h = %s B a hint, the devices of a lost node back within T = %s s.\n\n",
		grouped(a.devices), plain(a.perMinute), plain(a.average), plain(a.databaseCores), plain(a.load), memory(a.databaseDisk), plain(a.room), grouped(a.hintBytes), plain(a.within))
	b.WriteString("| nodes | devices | messages/s | cores busy a node | socket memory a node | PostgreSQL cores busy | write-ahead log/s in all | remembered ids | PostgreSQL servers by cores · by ids | hints/s between nodes | NATS traffic in all | memory a NATS server | connects/s a node when one is lost |\n")
	b.WriteString("|" + strings.Repeat(" --- |", 13) + "\n")
	for _, nodes := range a.nodes {
		e := a.estimate(c, nodes)
		hints, bits, nats, reconnects := "–", "–", "–", "all wait"
		if nodes > 1 {
			hints, bits, nats, reconnects = grouped(e.hints), fmt.Sprintf("%.2g Gbit/s", e.hintBits/1e9), memory(e.natsMemory), plain(math.Ceil(e.reconnects))
		}
		_, _ = fmt.Fprintf(&b, "| %s | %s | %s | %.2f | %s | %.1f | %s | %s | %s · %s | %s | %s | %s | %s |\n", grouped(float64(nodes)), grouped(e.devices), grouped(e.messages),
			e.nodeCores, memory(e.nodeMemory), e.databaseCores, memory(e.log), memory(e.remembered), grouped(e.servers), grouped(e.disks), hints, bits, nats, reconnects)
	}
	return b.String()
}

func microseconds(seconds float64) string { return fmt.Sprintf("%.3g µs", seconds*1e6) }

func memory(bytes float64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	value, unit := bytes/1024, 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	if value >= 100 {
		return fmt.Sprintf("%.0f %s", value, units[unit])
	}
	return fmt.Sprintf("%.3g %s", value, units[unit])
}

func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// grouped gives three digits of a number that mean something, in groups of three.
func grouped(x float64) string {
	if x <= 0 {
		return "0"
	}
	unit := math.Pow(10, math.Max(0, math.Floor(math.Log10(x))-2))
	digits := strconv.FormatFloat(math.Round(x/unit)*unit, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

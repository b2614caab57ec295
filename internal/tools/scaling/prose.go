package main

import (
	"fmt"
	"math"
)

// What is said of figures in sentences is written by these, so that it is of the same run as the tables.

// database says what one PostgreSQL carries.
func (a assumptions) database(c costs) string {
	rate := a.databaseCores * a.load / c.messageDatabase
	return fmt.Sprintf("**One PostgreSQL**: on the figures above, %s cores used to %s would commit some %s messages a second. That is arithmetic, and the disk will\n"+
		"say no before: these are %s of log a second. That was measured over small tables whose pages were new. A page that is changed for the first time since a checkpoint is written to the log whole, so that remembered ids, which meet pages at random, make up to 8 KiB each where a day has many.",
		plain(a.databaseCores), plain(a.load), grouped(rate), memory(rate*c.log))
}

// ids says how many fit into memory.
func (c costs) ids() string {
	const room = 64 << 30
	n := room / c.remembered
	return fmt.Sprintf("Arithmetic: at %s bytes for one, 64 GiB of memory hold the ids of some %s million sends, one day at %s a second.", grouped(c.remembered), grouped(n/1e6), grouped(n/86400))
}

// rows says how long nodes wait for each other.
func (f *figures) rows() string {
	percent := func(nodes string, mailboxes int, key string) string {
		return fmt.Sprintf("%.0f", 100*f.get("nodes", fmt.Sprintf("%s, %d mailboxes", nodes, mailboxes), key).Median)
	}
	share := func(nodes string, mailboxes int) string { return percent(nodes, mailboxes, "locks") }
	log := func(nodes string) string { return percent(nodes, 64, "log_waits") }
	rate := func(nodes string, mailboxes int) string {
		return grouped(f.get("nodes", fmt.Sprintf("%s, %d mailboxes", nodes, mailboxes), "delivered_per_second").Median)
	}
	return fmt.Sprintf("Measured: where 1, 2 and 3 nodes write to the same 4 mailboxes, %s, %s and %s %% of the connections at work in PostgreSQL wait for a lock that another holds, and %s, %s and %s messages a second arrive. Where they write to 64,\n"+
		"%s, %s and %s %% wait for locks and %s, %s and %s %% for the log, and %s, %s and %s messages arrive: that falls as well, since all nodes share two cores and one log.",
		share("1 node", 4), share("2 nodes", 4), share("3 nodes", 4), rate("1 node", 4), rate("2 nodes", 4), rate("3 nodes", 4),
		share("1 node", 64), share("2 nodes", 64), share("3 nodes", 64), log("1 node"), log("2 nodes"), log("3 nodes"), rate("1 node", 64), rate("2 nodes", 64), rate("3 nodes", 64))
}

// storm says how soon all are back.
func (f *figures) storm() string {
	within := func(way, key string) string {
		found := f.get("storm", "postgresql, "+way, key)
		if low, high := fmt.Sprintf("%.1f", found.Low), fmt.Sprintf("%.1f", found.High); low != high {
			return low + " to " + high
		}
		return fmt.Sprintf("%.1f", found.Median)
	}
	return fmt.Sprintf("Measured (docs/performance.md, on PostgreSQL): 10,000 devices of a killed server are all live again %s s after it listens if all come in the same moment, and after %s s if they come as the SDK does, which asks less of the server at once: "+
		"99 %% within %s s, and 99 %% of the messages that are sent meanwhile within %.2f s. Server, PostgreSQL and load generator share two cores. Nothing was lost.",
		within("at once", "all"), within("as the SDK", "all"), within("as the SDK", "most"), f.get("storm", "postgresql, as the SDK", "send_p99").Median)
}

// connects says how many devices a node can take in.
func (c costs) connects() string {
	const cores, lost, longest = 2, 100_000, 15
	each := cores / c.connect
	ten, three := lost/9.0, lost/2.0
	return fmt.Sprintf("Arithmetic, with %.2g ms a connection: a node of two cores makes some %s connections a second if it does nothing else. 100,000 devices of one of ten nodes are %s for each of the others: %s s flat out, in which live deliveries wait as well.\n"+
		"Of one of three nodes they are %s for each: %s s; who would wait for longer than four is sent away and comes again over ten seconds. When every device has failed often, 100,000 of them try %s times a second in all, since the longest wait is %d s, and half of that on average; two nodes of two cores do %s.",
		c.connect*1e3, grouped(each), grouped(ten), seconds(ten/each), grouped(three), seconds(three/each), grouped(lost/(longest/2.0)), longest, grouped(2*each))
}

func seconds(s float64) string { return plain(math.Round(s*10) / 10) }

package main

import (
	"fmt"
	"slices"
	"time"
)

const tableHead = `| store | senders × receivers | ciphertext | delivered/s (range) | send p50 | send p99 | send → receive p50 | p99 | server CPU per message | lost | doubled | out of order |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |`

// result is what one run found.
type result struct {
	elapsed   time.Duration
	accepted  int             // acknowledged by the server within elapsed
	delivered int             // of those, received live
	warmups   int             // messages outside the counted time: checked, not timed
	sends     []time.Duration // call to answer
	journeys  []time.Duration // call to receipt
	lost      int
	doubled   int
	disorder  int
	serverCPU time.Duration // of the whole server process, 0 if it was not started here
}

func (r result) rate() float64 { return float64(r.delivered) / r.elapsed.Seconds() }

// breach is an error if the server broke its delivery contract.
func (r result) breach() error {
	if r.lost+r.doubled+r.disorder == 0 {
		return nil
	}
	return fmt.Errorf("%d lost, %d doubled, %d out of order", r.lost, r.doubled, r.disorder)
}

func (r result) String() string {
	return fmt.Sprintf("%.0f delivered/s, send p50 %s p99 %s, send → receive p50 %s p99 %s, %d lost, %d doubled, %d out of order",
		r.rate(), show(quantile(r.sends, 0.5)), show(quantile(r.sends, 0.99)),
		show(quantile(r.journeys, 0.5)), show(quantile(r.journeys, 0.99)), r.lost, r.doubled, r.disorder)
}

func (r result) row(o options, lowest, highest float64) string {
	cpu := "–"
	if all := r.delivered + r.warmups; r.serverCPU > 0 && all > 0 {
		cpu = show(r.serverCPU / time.Duration(all))
	}
	return fmt.Sprintf("| %s | %d × %d | %d B | %.0f (%.0f–%.0f) | %s | %s | %s | %s | %s | %d | %d | %d |",
		o.Label, o.Senders, o.Receivers, o.Size, r.rate(), lowest, highest,
		show(quantile(r.sends, 0.5)), show(quantile(r.sends, 0.99)),
		show(quantile(r.journeys, 0.5)), show(quantile(r.journeys, 0.99)), cpu, r.lost, r.doubled, r.disorder)
}

// quantile sorts its argument.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, int(q*float64(len(values))))]
}

func show(d time.Duration) string {
	if d < time.Millisecond {
		return d.Round(time.Microsecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

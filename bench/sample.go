package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sample is what one run found, in the order in which the table shows it.
type sample []value

type value struct {
	key    string // for the JSON file
	label  string // for people
	unit   unit
	amount float64 // durations in nanoseconds
}

type unit int

const (
	number unit = iota
	duration
	memory
	decimal // a number with two places
	share   // of one
)

func (s *sample) add(key, label string, u unit, amount float64) {
	*s = append(*s, value{key: key, label: label, unit: u, amount: amount})
}

// quantiles adds the median and the 99th percentile.
func (s *sample) quantiles(key, label string, values []time.Duration) {
	slices.Sort(values)
	at := func(q float64) float64 {
		if len(values) == 0 {
			return 0
		}
		return float64(values[min(len(values)-1, int(q*float64(len(values))))])
	}
	s.add(key+"_p50", label+" p50", duration, at(0.5))
	s.add(key+"_p99", label+" p99", duration, at(0.99))
}

func (s sample) find(key string) (value, bool) {
	for _, v := range s {
		if v.key == key {
			return v, true
		}
	}
	return value{}, false
}

// String is a line for whoever watches.
func (s sample) String() string {
	parts := make([]string, len(s))
	for i, v := range s {
		parts[i] = v.label + " " + v.unit.show(v.amount)
	}
	return strings.Join(parts, ", ")
}

// spread is the median of several amounts, and the range.
type spread struct{ median, low, high float64 }

func spreadOf(amounts []float64) spread {
	sorted := slices.Sorted(slices.Values(amounts))
	n := len(sorted)
	return spread{median: (sorted[(n-1)/2] + sorted[n/2]) / 2, low: sorted[0], high: sorted[n-1]}
}

func (u unit) show(amount float64) string {
	switch u {
	case duration:
		return showDuration(time.Duration(amount))
	case memory:
		return showMemory(amount)
	case share:
		return strconv.FormatFloat(100*amount, 'f', 0, 64) + " %"
	case decimal:
		return strconv.FormatFloat(amount, 'f', 2, 64)
	default:
		return grouped(amount)
	}
}

func showDuration(d time.Duration) string {
	switch a := d.Abs(); {
	case a < 10*time.Microsecond:
		return fmt.Sprintf("%.1f µs", float64(d)/1e3)
	case a < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	case a < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	case a < time.Second:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

func showMemory(bytes float64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%.0f B", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", bytes/(1<<10))
	default:
		return fmt.Sprintf("%.1f MiB", bytes/(1<<20))
	}
}

// grouped writes a whole number with commas between thousands.
func grouped(amount float64) string {
	digits := strconv.FormatFloat(amount, 'f', 0, 64)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

package main

import (
	"fmt"
	"slices"
	"strings"
)

// column is one case of a scenario: what is measured side by side with the others, and what came out.
type column struct {
	label   string
	measure measure
	of      *column // for an older binary: the column that it is compared with
	samples []sample
}

// row names a line of the table; the unit is in the values.
type row struct {
	key, label string
	unit       unit
}

// rows gives the lines of a table. What only some columns have comes behind what it follows there.
func rows(columns []*column) []row {
	var rows []row
	for _, c := range columns {
		for _, s := range c.samples {
			behind := 0
			for _, v := range s {
				at := slices.IndexFunc(rows, func(r row) bool { return r.key == v.key })
				if at < 0 {
					at = behind
					rows = slices.Insert(rows, at, row{v.key, v.label, v.unit})
				}
				behind = at + 1
			}
		}
	}
	return rows
}

func (c *column) amounts(key string) []float64 {
	var amounts []float64
	for _, s := range c.samples {
		if v, ok := s.find(key); ok {
			amounts = append(amounts, v.amount)
		}
	}
	return amounts
}

// markdown gives the table: cases side by side, a line for each thing that was measured, medians with their ranges.
func markdown(columns []*column) string {
	var b strings.Builder
	b.WriteString("| |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.label)
		if c.of != nil {
			fmt.Fprintf(&b, " %s ÷ %s |", c.of.label, c.label)
		}
	}
	b.WriteString("\n| --- |")
	for _, c := range columns {
		b.WriteString(" --- |")
		if c.of != nil {
			b.WriteString(" --- |")
		}
	}
	b.WriteString("\n")
	for _, r := range rows(columns) {
		fmt.Fprintf(&b, "| %s |", r.label)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", cell(r.unit, c.amounts(r.key)))
			if c.of != nil {
				fmt.Fprintf(&b, " %s |", cell(decimal, ratios(c.of.amounts(r.key), c.amounts(r.key))))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cell(u unit, amounts []float64) string {
	if len(amounts) == 0 {
		return "–"
	}
	s := spreadOf(amounts)
	median, low, high := u.show(s.median), u.show(s.low), u.show(s.high)
	if low == high {
		return median
	}
	return fmt.Sprintf("%s (%s – %s)", median, low, high)
}

// ratios compares runs that were made one after the other.
func ratios(now, base []float64) []float64 {
	var ratios []float64
	for i := range min(len(now), len(base)) {
		if base[i] != 0 {
			ratios = append(ratios, now[i]/base[i])
		}
	}
	return ratios
}

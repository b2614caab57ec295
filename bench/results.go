package main

import (
	"encoding/json"
	"os"
)

// results are all figures of a run of the program, for programs: by scenario, case and key. Durations are in seconds, memory in bytes.
type results map[string]map[string]map[string]figure

type figure struct {
	Label  string    `json:"label"`
	Median float64   `json:"median"`
	Low    float64   `json:"low"`
	High   float64   `json:"high"`
	Runs   []float64 `json:"runs"`
}

func (r *results) keep(scenario string, columns []*column) {
	if *r == nil {
		*r = results{}
	}
	cases := map[string]map[string]figure{}
	for _, c := range columns {
		figures := map[string]figure{}
		for _, row := range rows([]*column{c}) {
			amounts := c.amounts(row.key)
			if row.unit == duration {
				for i := range amounts {
					amounts[i] /= 1e9
				}
			}
			s := spreadOf(amounts)
			figures[row.key] = figure{Label: row.label, Median: s.median, Low: s.low, High: s.high, Runs: amounts}
		}
		cases[c.label] = figures
	}
	(*r)[scenario] = cases
}

func (r results) write(path string, m *machine) error {
	text, err := json.MarshalIndent(map[string]any{"machine": m, "scenarios": r}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644) //nolint:gosec // for everybody
}

package main

import (
	"fmt"
	"slices"
	"time"
)

// saysAfter is the shortest run whose trouble has to be in the servers' logs.
const saysAfter = 20 * time.Second

// readLogs gives what is wrong with the servers' logs.
func (r *run) readLogs() (words []string) {
	for i, node := range r.nodes {
		defects, secrets, warnings := node.Log()
		if defects != "" {
			words = append(words, fmt.Sprintf("node %d has logged defects of its own:\n%s", i+1, defects))
		}
		if secrets != "" {
			words = append(words, fmt.Sprintf("node %d has logged what no log may hold:\n%s", i+1, secrets))
		}
		if warnings != "" && slices.Contains(r.silent, r.store) {
			words = append(words, fmt.Sprintf("node %d warns of what its operator can do nothing about:\n%s", i+1, warnings))
		}
	}
	if r.duration > saysAfter {
		words = append(words, r.unsaid()...)
	}
	return words
}

// unsaid gives what the servers should have logged, and did not.
func (r *run) unsaid() (words []string) {
	for _, phrase := range r.says[r.store] {
		lines := 0
		for _, node := range r.nodes {
			lines += node.Said(phrase)
		}
		if lines == 0 {
			words = append(words, fmt.Sprintf("no server has logged %q, by which its operator would know", phrase))
		}
	}
	return words
}

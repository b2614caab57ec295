package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The gauges that are read from a server's metrics.
const (
	goroutines = "go_goroutines"
	heapInUse  = "go_memstats_heap_inuse_bytes" // pages that hold anything
	heapLive   = "go_memstats_heap_alloc_bytes"
	stackInUse = "go_memstats_stack_inuse_bytes"
)

// gauges reads a server's metrics after a garbage collection; nil if it has none.
func (s *server) gauges(ctx context.Context) (map[string]float64, error) {
	if _, err := s.fromMetrics(ctx, "/metrics"); err != nil {
		return nil, nil //nolint:nilerr // an older server
	}
	if _, err := s.fromMetrics(ctx, "/debug/pprof/heap?gc=1"); err != nil {
		return nil, err
	}
	text, err := s.fromMetrics(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	gauges := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if amount, err := strconv.ParseFloat(value, 64); ok && err == nil {
			gauges[name] = amount
		}
	}
	for _, name := range []string{goroutines, heapInUse, heapLive, stackInUse} {
		if _, ok := gauges[name]; !ok {
			return nil, fmt.Errorf("the server's metrics have no %s", name)
		}
	}
	return gauges, nil
}

func (s *server) fromMetrics(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.metrics+path, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", path, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	return string(text), err
}

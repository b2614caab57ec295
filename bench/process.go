package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one that runs on this machine, as /proc shows it.
type process int

// cpu gives the CPU time that a process has taken in all its threads, and that its children took which have ended.
func (p process) cpu() (time.Duration, error) {
	threads, err := filepath.Glob(p.file("task/*/schedstat"))
	if err != nil || len(threads) == 0 {
		return 0, fmt.Errorf("process %d: its CPU time cannot be read", p)
	}
	var sum time.Duration
	for _, thread := range threads {
		text, err := os.ReadFile(thread) //nolint:gosec // a file of /proc
		if err != nil {
			continue // the thread has ended meanwhile
		}
		first, _, _ := strings.Cut(string(text), " ")
		nanoseconds, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", thread, err)
		}
		sum += time.Duration(nanoseconds)
	}
	fields, err := p.stat()
	if err != nil {
		return 0, err
	}
	return sum + ticks(fields[13]) + ticks(fields[14]), nil
}

// ticks are hundredths of a second, on every Linux that Go runs on.
func ticks(field string) time.Duration {
	n, err := strconv.ParseInt(field, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second / 100
}

// stat gives the fields of /proc/PID/stat behind the name: the state is field 0.
func (p process) stat() ([]string, error) {
	text, err := os.ReadFile(p.file("stat"))
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return nil, fmt.Errorf("process %d: /proc/PID/stat has %d fields", p, len(fields))
	}
	return fields, nil
}

func (p process) parent() (process, error) {
	fields, err := p.stat()
	if err != nil {
		return 0, err
	}
	parent, err := strconv.Atoi(fields[1])
	return process(parent), err
}

// name is the command's, cut off by the kernel after 15 characters.
func (p process) name() string {
	text, err := os.ReadFile(p.file("comm"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// family gives a process and its children.
func (p process) family() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	family := []process{p}
	for _, entry := range entries {
		id, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if parent, err := process(id).parent(); err == nil && parent == p {
			family = append(family, process(id))
		}
	}
	return family, nil
}

// The lines of /proc/PID/smaps_rollup and /proc/PID/status that are read.
const (
	residentNow  = "VmRSS:"
	residentPeak = "VmHWM:"
)

// memory gives a line of /proc/PID/status, in bytes.
func (p process) memory(line string) (float64, error) {
	text, err := os.ReadFile(p.file("status"))
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(l, line); ok {
			kibibytes, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			return kibibytes * 1024, err
		}
	}
	return 0, fmt.Errorf("process %d: no %s in /proc/PID/status", p, line)
}

func (p process) file(name string) string { return fmt.Sprintf("/proc/%d/%s", int(p), name) }

// machineCPU is the CPU time that everything on the machine has taken, and that the host has taken from it.
func machineCPU() (time.Duration, error) {
	const user, nice, system, irq, softirq, steal = 1, 2, 3, 6, 7, 8
	fields := strings.Fields(firstLine("/proc/stat"))
	if len(fields) <= steal {
		return 0, fmt.Errorf("/proc/stat begins with %d fields", len(fields))
	}
	var sum time.Duration
	for _, field := range []int{user, nice, system, irq, softirq, steal} {
		sum += ticks(fields[field])
	}
	return sum, nil
}

// ownCPU is what the load generator has taken.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// machine is what figures depend on besides the code.
type machine struct {
	Cores      int    `json:"cores"`
	CPU        string `json:"cpu"`
	Memory     string `json:"memory"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	PostgreSQL string `json:"postgresql,omitempty"` // version and settings
	Sync       string `json:"fdatasync"`            // what it takes to bring 8 KiB to the disk
}

// lookAround finds out. Without a database URL it says nothing of PostgreSQL.
func lookAround(ctx context.Context, database string) (*machine, error) {
	sync, err := syncTime()
	if err != nil {
		return nil, err
	}
	m := &machine{
		Cores: runtime.NumCPU(), CPU: lineOf("/proc/cpuinfo", "model name"), Kernel: firstLine("/proc/sys/kernel/osrelease"),
		Memory: memoryOf(lineOf("/proc/meminfo", "MemTotal")), Go: runtime.Version(), Sync: showDuration(sync),
	}
	if database != "" {
		m.PostgreSQL, err = askPostgreSQL(ctx, database)
	}
	return m, err
}

// short is the machine in half a line.
func (m *machine) short() string {
	parts := []string{fmt.Sprintf("%d × %s", m.Cores, m.CPU), "Linux " + m.Kernel, m.Go}
	if m.PostgreSQL != "" {
		parts = append(parts, m.PostgreSQL)
	}
	return strings.Join(parts, "; ")
}

func (m *machine) markdown() string {
	text := fmt.Sprintf("| | |\n| --- | --- |\n| cores | %d × %s |\n| memory | %s |\n| kernel | Linux %s |\n| Go | %s |\n",
		m.Cores, m.CPU, m.Memory, m.Kernel, m.Go)
	if m.PostgreSQL != "" {
		text += fmt.Sprintf("| database | %s |\n", m.PostgreSQL)
	}
	return text + fmt.Sprintf("| 8 KiB written and brought to the disk (fsync), median of 200 | %s |\n", m.Sync)
}

// askPostgreSQL reads version and the settings that decide what a commit costs.
func askPostgreSQL(ctx context.Context, url string) (text string, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", fmt.Errorf("ask PostgreSQL for its settings: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	var version, fsync, commit, pages, buffers string
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'),
		current_setting('full_page_writes'), current_setting('shared_buffers')`).Scan(&version, &fsync, &commit, &pages, &buffers)
	version, _, _ = strings.Cut(version, " ")
	return fmt.Sprintf("PostgreSQL %s, fsync %s, synchronous_commit %s, full_page_writes %s, shared_buffers %s", version, fsync, commit, pages, buffers), err
}

// syncTime measures what the disk takes for what a commit asks of it.
func syncTime() (_ time.Duration, err error) {
	file, err := os.CreateTemp("", "bench-sync-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	page := make([]byte, 8<<10)
	var took []time.Duration
	for range 200 {
		started := time.Now()
		if _, err := file.Write(page); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(started))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func firstLine(path string) string {
	text, err := os.ReadFile(path) //nolint:gosec // a file of /proc
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// lineOf gives the value of the first line «name: value».
func lineOf(path, name string) string {
	text, err := os.ReadFile(path) //nolint:gosec // a file of /proc
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func memoryOf(line string) string {
	kibibytes, err := strconv.ParseFloat(strings.TrimSuffix(line, " kB"), 64)
	if err != nil {
		return line
	}
	return fmt.Sprintf("%.1f GiB", kibibytes/(1<<20))
}

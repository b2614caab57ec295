package main

import (
	"runtime"
	"time"
)

// meter reads the CPU time of everything that takes part, before and after.
type meter struct {
	servers  []process
	database process // the postmaster; 0 where there is none to be seen
	nats     process
	before   spent
	after    spent
	start    time.Time
	err      error
}

// spent is CPU time by who took it, and the time on the clock.
type spent struct{ servers, database, nats, generator, machine, clock time.Duration }

// others is the share of the machine that somebody else took.
func (s spent) others() float64 {
	rest := s.machine - s.servers - s.database - s.nats - s.generator
	return max(0, float64(rest)) / float64(s.clock) / float64(runtime.NumCPU())
}

func (m *meter) begin() {
	m.start = time.Now()
	m.before = m.read()
}

func (m *meter) end() { m.after = m.read() }

func (m *meter) read() (s spent) {
	var err error
	s.generator, s.clock = ownCPU(), time.Since(m.start)
	s.machine, err = machineCPU()
	m.note(err)
	for _, server := range m.servers {
		s.servers += m.of(server)
	}
	if m.nats != 0 {
		s.nats = m.of(m.nats)
	}
	if m.database == 0 {
		return s
	}
	family, err := m.database.family()
	m.note(err)
	for _, p := range family {
		if cpu, err := p.cpu(); err == nil { // one that has ended counts with its parent
			s.database += cpu
		}
	}
	return s
}

func (m *meter) of(p process) time.Duration {
	cpu, err := p.cpu()
	m.note(err)
	return cpu
}

func (m *meter) note(err error) {
	if m.err == nil {
		m.err = err
	}
}

// spent gives what was taken between begin and end.
func (m *meter) spent() (spent, error) {
	return spent{
		servers:   m.after.servers - m.before.servers,
		database:  m.after.database - m.before.database,
		nats:      m.after.nats - m.before.nats,
		generator: m.after.generator - m.before.generator,
		machine:   m.after.machine - m.before.machine,
		clock:     m.after.clock - m.before.clock,
	}, m.err
}

// each adds to a sample what one of n took.
func (m *meter) each(s *sample, what string, n int) error {
	all, err := m.spent()
	if err != nil || n == 0 {
		return err
	}
	one := func(d time.Duration) float64 { return float64(d) / float64(n) }
	if len(m.servers) > 0 {
		s.add("server_cpu", "CPU per "+what+": server", duration, one(all.servers))
	}
	if m.database != 0 {
		s.add("database_cpu", "CPU per "+what+": PostgreSQL", duration, one(all.database))
	}
	if m.nats != 0 {
		s.add("nats_cpu", "CPU per "+what+": NATS", duration, one(all.nats))
	}
	s.add("generator_cpu", "CPU per "+what+": load generator", duration, one(all.generator))
	if len(m.servers) > 0 {
		s.add("others", "share of the machine taken by others", share, all.others())
	}
	return nil
}

package main

import (
	"time"
)

// meter reads the CPU time of everything that takes part, before and after.
type meter struct {
	servers  []process
	database process // the postmaster; 0 where there is none to be seen
	nats     process
	before   spent
	after    spent
	err      error
}

// spent is CPU time by who took it.
type spent struct{ servers, database, nats, generator time.Duration }

func (m *meter) begin() { m.before = m.read() }
func (m *meter) end()   { m.after = m.read() }

func (m *meter) read() (s spent) {
	s.generator = ownCPU()
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
	return nil
}

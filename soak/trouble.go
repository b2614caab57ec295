package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/letterlock/letterlock/soak/internal/rig"
)

func calm(ctx context.Context, _ *run) error {
	<-ctx.Done()
	return nil
}

// killing ends a node at any moment, and starts it again.
func killing(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat(), 2*r.beat()) {
		if err := r.kill(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) kill(ctx context.Context) error {
	node := r.anyNode()
	r.fault()
	if err := node.Kill(); err != nil {
		return err
	}
	r.wait(ctx, 0, r.beat()/4)
	return node.Start(r.ctx)
}

// restarting has a node stop in order, at any moment, and starts it again.
func restarting(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat(), 2*r.beat()) {
		if err := r.restart(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) restart(ctx context.Context) error {
	node := r.anyNode()
	r.fault()
	if err := node.Stop(); err != nil {
		return err
	}
	r.wait(ctx, 0, r.beat()/4)
	return node.Start(r.ctx)
}

// longFreeze is longer than whatever anybody waits for in the middle of something: requests (requestTimeout), statements and idle
// transactions in PostgreSQL, tries of a batch (10 s each), changes of lists (15 s), pings of sockets and of NATS (15 s). What may stay idle
// for longer does so by right.
const longFreeze = 17 * time.Second

// still draws how long something stands still: longer than clients wait for an answer; in long runs the first time, and now and then,
// longer than anything waits, in the server and in PostgreSQL.
func (r *run) still() time.Duration {
	if r.isLong() && (!r.stood || r.random.IntN(4) == 0) {
		r.stood = true
		return longFreeze
	}
	return callTimeout * 5 / 4
}

// isLong tells runs that have the time for what lasts.
func (r *run) isLong() bool { return r.duration > 3*longFreeze }

// freezing has a node stand still.
func freezing(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat()/2, r.beat()) {
		if err := r.freeze(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) freeze(ctx context.Context) error {
	node, still := r.anyNode(), r.still()
	r.fault()
	if err := node.Freeze(); err != nil {
		return err
	}
	r.wait(ctx, still, still*5/4)
	return node.Thaw()
}

// badNetwork hurts the way between clients and nodes.
func badNetwork(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat()/4, r.beat()) {
		if err := r.hurt(ctx, r.front...); err != nil {
			return err
		}
	}
	return nil
}

// hurt has one of some proxies cut, swallow or delay what goes through it, and mends it.
func (r *run) hurt(ctx context.Context, some ...*rig.Proxy) error {
	r.fault()
	p := some[r.random.IntN(len(some))]
	switch r.random.IntN(4) {
	case 0, 1:
		p.Cut()
	case 2:
		r.swallow(ctx, p)
	case 3:
		p.Slow(time.Duration(1+r.random.IntN(50)) * time.Millisecond)
		r.wait(ctx, r.beat()/2, r.beat())
		p.Slow(0)
	}
	return nil
}

// swallow has nothing come back through a proxy for a while, and then cuts it.
func (r *run) swallow(ctx context.Context, p *rig.Proxy) {
	still := r.still()
	least := still / 8
	if still == longFreeze {
		least = still
	}
	p.Silence(true)
	r.wait(ctx, least, still*5/4)
	p.Cut()
	p.Silence(false)
}

// cutting breaks the connections to PostgreSQL, at times for a while.
func cutting(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat()/8, r.beat()/2) {
		r.fault()
		if r.random.IntN(4) == 0 {
			r.database.Refuse(true)
			r.database.Cut()
			r.wait(ctx, 0, r.beat())
			r.database.Refuse(false)
		}
		r.database.Cut()
	}
	return nil
}

// losingCommits loses the answers to commits that were made.
func losingCommits(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat()/16, r.beat()/4) {
		r.database.LoseCommits(1 + r.random.Int64N(4))
	}
	r.database.LoseCommits(0)
	r.faults.Add(r.database.LostCommits())
	return nil
}

// silencing has PostgreSQL go on without being heard.
func silencing(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat()/4, r.beat()) {
		r.fault()
		r.swallow(ctx, r.database)
	}
	return nil
}

// meeting makes no trouble of its own; the transactions that PostgreSQL rolled back are counted.
func meeting(ctx context.Context, r *run) error {
	<-ctx.Done()
	conn, err := pgx.Connect(r.ctx, r.url)
	if err != nil {
		return err
	}
	var rolledBack int64
	err = conn.QueryRow(r.ctx, `SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()`).Scan(&rolledBack)
	r.faults.Add(rolledBack)
	return errors.Join(err, conn.Close(r.ctx))
}

// crashing ends PostgreSQL as a crash would, and has it recover.
func crashing(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat(), 2*r.beat()) {
		if err := r.crash(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) crash(ctx context.Context) error {
	r.fault()
	if err := r.postgres.Crash(); err != nil {
		return err
	}
	r.wait(ctx, 0, r.beat()/2)
	return r.postgres.Start(r.ctx)
}

// nodesInTrouble kills a node or has it stand still, while the others go on, or crashes the PostgreSQL of all of them.
func nodesInTrouble(ctx context.Context, r *run) error {
	troubles := []func(context.Context) error{r.kill, r.crash, r.freeze, r.kill}
	for i := 0; r.wait(ctx, r.beat()/2, r.beat()); i++ {
		if err := troubles[i%len(troubles)](ctx); err != nil {
			return err
		}
	}
	return nil
}

// badNATS hurts the ways between nodes and NATS, those between its servers, or the servers.
func badNATS(ctx context.Context, r *run) error {
	troubles := []func(context.Context) error{
		r.part,
		func(ctx context.Context) error { return r.hurt(ctx, r.ways...) },
		r.restartNATS,
		func(ctx context.Context) error { return r.cutOff(ctx, r.ways...) },
	}
	for i := 0; r.wait(ctx, r.beat()/4, r.beat()); i++ {
		if err := troubles[i%len(troubles)](ctx); err != nil {
			return err
		}
	}
	return nil
}

// restartNATS stops one of the NATS servers, or all, and starts them again.
func (r *run) restartNATS(ctx context.Context) error {
	r.fault()
	some := r.nats.Servers()
	if r.random.IntN(2) == 0 {
		one := r.random.IntN(len(some))
		some = some[one : one+1]
	}
	for _, s := range some {
		s.Stop()
	}
	r.wait(ctx, 0, r.beat())
	for _, s := range some {
		if err := s.Start(); err != nil {
			return err
		}
	}
	return nil
}

// part has nothing come through between one NATS server and the others, in either direction, while every connection stays open; its
// nodes hear of nothing that comes from elsewhere.
func (r *run) part(ctx context.Context) error {
	r.fault()
	routes := r.nats.Routes(r.random.IntN(len(r.nats.Servers())))
	for _, p := range routes {
		p.Part(true)
	}
	still := r.still()
	r.wait(ctx, still, still*5/4)
	for _, p := range routes {
		p.Part(false)
	}
	return nil
}

// everything is one trouble after the other, each before one comes again, while answers to COMMIT get lost now and then.
func everything(ctx context.Context, r *run) error {
	troubles := []func(context.Context) error{
		r.kill, r.freeze, r.restart, r.restartNATS, r.crash, r.readOnlyForAll, r.part,
		func(ctx context.Context) error { return r.hurt(ctx, r.front...) },
		func(ctx context.Context) error { return r.hurt(ctx, r.ways...) },
		func(ctx context.Context) error { return r.hurt(ctx, r.database) },
		func(ctx context.Context) error { return r.cutOff(ctx, r.ways...) },
	}
	for i := 0; r.wait(ctx, r.beat()/8, r.beat()/2); i++ {
		if i%len(troubles) == 0 {
			r.random.Shuffle(len(troubles), func(a, b int) { troubles[a], troubles[b] = troubles[b], troubles[a] })
		}
		r.database.LoseCommits(r.random.Int64N(3))
		if err := troubles[i%len(troubles)](ctx); err != nil {
			return err
		}
	}
	r.database.LoseCommits(0)
	r.faults.Add(r.database.LostCommits())
	return nil
}

// readOnlyForAll has PostgreSQL refuse whatever writes for a while.
func (r *run) readOnlyForAll(ctx context.Context) error {
	r.fault()
	if err := r.postgres.ReadOnly(r.ctx, true); err != nil {
		return err
	}
	r.wait(ctx, r.beat()/2, r.beat())
	if err := r.postgres.ReadOnly(r.ctx, false); err != nil {
		return err
	}
	for _, node := range r.nodes {
		if err := node.AwaitReady(r.ctx); err != nil {
			return err
		}
	}
	return nil
}

// cutOff has nobody come through one of some proxies for a while.
func (r *run) cutOff(ctx context.Context, some ...*rig.Proxy) error {
	r.fault()
	p := some[r.random.IntN(len(some))]
	p.Refuse(true)
	p.Cut()
	r.wait(ctx, r.beat()/2, 2*r.beat())
	p.Refuse(false)
	return nil
}

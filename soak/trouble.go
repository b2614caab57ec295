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

// longFreeze is longer than the timeouts of transactions that are under way.
const longFreeze = 11 * time.Second

// still draws how long something stands still: longer than clients wait for an answer; in long runs now and then longer than
// anything waits, in the server and in PostgreSQL.
func (r *run) still() time.Duration {
	if r.isLong() && r.random.IntN(4) == 0 {
		return longFreeze
	}
	return callTimeout * 5 / 4
}

// isLong tells runs that have the time for what lasts.
func (r *run) isLong() bool { return r.duration > 10*longFreeze }

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
	p.Silence(true)
	r.wait(ctx, still/8, still*5/4)
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
		r.fault()
		if err := r.postgres.Crash(); err != nil {
			return err
		}
		r.wait(ctx, 0, r.beat()/2)
		if err := r.postgres.Start(r.ctx); err != nil {
			return err
		}
	}
	return nil
}

// nodesInTrouble kills a node or has it stand still, while the others go on.
func nodesInTrouble(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat()/2, r.beat()) {
		trouble := r.kill
		if r.random.IntN(3) == 0 {
			trouble = r.freeze
		}
		if err := trouble(ctx); err != nil {
			return err
		}
	}
	return nil
}

// badNATS hurts the ways between nodes and NATS, or NATS itself.
func badNATS(ctx context.Context, r *run) error {
	troubles := []func(context.Context) error{
		func(ctx context.Context) error { return r.hurt(ctx, r.ways...) },
		func(ctx context.Context) error { return r.cutOff(ctx, r.ways...) },
		r.restartNATS,
	}
	for r.wait(ctx, r.beat()/4, r.beat()) {
		if err := troubles[r.random.IntN(len(troubles))](ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) restartNATS(ctx context.Context) error {
	r.fault()
	r.nats.Stop()
	r.wait(ctx, 0, r.beat())
	return r.nats.Start()
}

// everything is one trouble after the other, any that there is, while answers to COMMIT get lost now and then.
func everything(ctx context.Context, r *run) error {
	troubles := []func(context.Context) error{
		r.kill, r.freeze, r.restart, r.restartNATS,
		func(ctx context.Context) error { return r.hurt(ctx, r.front...) },
		func(ctx context.Context) error { return r.hurt(ctx, r.ways...) },
		func(ctx context.Context) error { return r.hurt(ctx, r.database) },
		func(ctx context.Context) error { return r.cutOff(ctx, r.ways...) },
	}
	for r.wait(ctx, r.beat()/8, r.beat()/2) {
		r.database.LoseCommits(r.random.Int64N(3))
		if err := troubles[r.random.IntN(len(troubles))](ctx); err != nil {
			return err
		}
	}
	r.database.LoseCommits(0)
	r.faults.Add(r.database.LostCommits())
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

package main

import (
	"context"
	"errors"
	"time"

	"github.com/letterlock/letterlock/soak/internal/history"
)

// feltAfter is the shortest run whose trouble with disks has to be felt: short ones end before a disk is needed.
const feltAfter = 20 * time.Second

// filling leaves no room on a disk for a while: of PostgreSQL's two on each at least once.
func filling(ctx context.Context, r *run) error {
	felt := false
	for i := 0; i < len(r.disks) || ctx.Err() == nil; i++ {
		r.wait(ctx, r.beat()/4, r.beat())
		disk := r.disks[r.random.IntN(len(r.disks))]
		if i < len(r.disks) {
			disk = r.disks[i]
		}
		refuses, err := r.fill(ctx, disk)
		if err != nil {
			return err
		}
		felt = felt || refuses
	}
	if !felt && r.duration > feltAfter {
		return errors.New("no disk that was full had the server say that it is not ready")
	}
	return nil
}

// fill fills a disk and mends it, and tells whether the server has noticed: at times a store finds room in the files that it has.
func (r *run) fill(ctx context.Context, disk string) (felt bool, err error) {
	r.fault()
	if err := r.space.Fill(r.ctx, disk); err != nil {
		return false, err
	}
	felt, err = r.refusesWrites(ctx, 3*r.beat())
	if err := errors.Join(err, r.space.Mend(r.ctx, disk)); err != nil {
		return false, err
	}
	if r.store == postgresql {
		if err := r.postgres.Revive(r.ctx); err != nil {
			return false, err
		}
	}
	return felt, r.nodes[0].AwaitReady(r.ctx)
}

// refusesWrites waits for some time until the server says that it is not ready, which calls bring to light that are under way. In long
// runs it then waits now and then until calls are refused in words.
func (r *run) refusesWrites(ctx context.Context, most time.Duration) (felt bool, err error) {
	refused := r.count(history.Refused)
	for end := time.Now().Add(most + 2*time.Second); !felt && time.Now().Before(end); {
		felt = !r.nodes[0].Ready(r.ctx)
		r.wait(r.ctx, 10*time.Millisecond, 30*time.Millisecond)
	}
	if felt && r.isLong() && ctx.Err() == nil && r.random.IntN(3) == 0 {
		return true, r.until("no call was refused in words", func() bool { return r.count(history.Refused) > refused || ctx.Err() != nil })
	}
	r.wait(ctx, 0, r.beat())
	return felt, nil
}

// readingOnly has the store refuse whatever writes for a while. Reading goes on, and nothing has to be started again.
func readingOnly(ctx context.Context, r *run) error {
	for r.wait(ctx, r.beat()/2, 2*r.beat()) {
		r.fault()
		if err := r.setReadOnly(true); err != nil {
			return err
		}
		got := r.count(history.Got)
		felt, err := r.refusesWrites(ctx, 3*r.beat())
		if err == nil && felt && r.isLong() && r.random.IntN(3) == 0 { // few come back while nothing new is to be heard of
			err = r.until("nothing was read from a store that can only be read", func() bool { return r.count(history.Got) > got })
		}
		if err := errors.Join(err, r.setReadOnly(false), r.nodes[0].AwaitReady(r.ctx)); err != nil {
			return err
		}
		if !felt && ctx.Err() == nil {
			return errors.New("the server did not notice that its store can only be read")
		}
	}
	return nil
}

func (r *run) setReadOnly(on bool) error {
	if r.store == sqlite {
		return r.fickle.ReadOnly(on)
	}
	return r.postgres.ReadOnly(r.ctx, on)
}
